import { recordText } from '../../../quarantine/recordText.ts';
import { bytesForPeople } from '../../../report/units.ts';
import { actionForm, reasonField } from '../forms.ts';
import { html, type Html } from '../html.ts';
import { badge, pathName } from '../names.ts';
import { type Frame, page } from '../page.ts';
import { olderLink, rowsOf } from '../rows.ts';
import { timeOf } from '../time.ts';
import type { DenialsView, HomesView, ListedPath, PublishedView, TrailView } from '../views.ts';
import { decisionPart } from './decisions.ts';

/** The audit trail, the latest record first. */
export function trailPage(frame: Frame, { records, next, now }: TrailView): string {
  return page(
    frame,
    '/review/trail',
    'Audit trail',
    html`<h1>Audit trail</h1>
      ${rowsOf(records, (record) => recordRow(record, now), 'Nothing has happened yet.')}
      ${olderLink(next === null ? null : `/review/trail?before=${next}`)}`,
  );
}

function recordRow({ record, liftedBy }: TrailView['records'][number], now: number): Html {
  const { seq, event, actor, at } = record;
  const id = 'id' in record ? record.id : null;
  return html`<p class="row-head">${badge(event)} ${recordText(record)}</p>
    <p class="meta">
      ${timeOf(Date.parse(at), now)} · ${actor} · record ${seq}
      ${liftedBy !== null && html`· <strong>lifted by record ${liftedBy}</strong>`}
      ${id !== null && html`· <a href="/review/outputs/${id}">output ${id.slice(0, 8)}</a>`}
    </p>`;
}

/** What was published, the latest first: what is served, and apart from it what is not. */
export function publishedPage(frame: Frame, { paths, isLast, now }: PublishedView): string {
  const last = paths.at(-1);
  const served = paths.filter(({ isServed }) => isServed);
  const others = paths.filter(({ isServed }) => !isServed);
  return page(
    frame,
    '/review/published',
    'Published',
    html`<h1>Published paths</h1>
      <section aria-labelledby="served-title">
        <h2 id="served-title">Served</h2>
        ${rowsOf(served, (path) => publishedRow(path, now), paths.length === 0 ? 'Nothing more is published.' : 'None of these is served.')}
      </section>
      ${
        others.length > 0 &&
        html`<section aria-labelledby="unserved-title">
          <h2 id="unserved-title">Published, but not served</h2>
          <p class="note">
            Denied since; or let in, in spite of what was found, while the server refused nothing or less than
            it does now. The latter is judged anew when somebody sends it again.
          </p>
          ${rowsOf(others, (path) => publishedRow(path, now), '')}
        </section>`
      }
      ${olderLink(isLast || last === undefined ? null : `/review/published?at=${last.at}&hash=${last.hashPart}`)}`,
  );
}

function publishedRow(path: ListedPath, now: number): Html {
  const { storePath, hashPart, verdict, isDenied, isServed, narSize, fileSize, by, at, rules } = path;
  const name = pathName(storePath);
  return html`<p class="row-head">
      ${badge(isDenied ? 'denied' : verdict)}
      ${isServed ? html`<a href="/${hashPart}.narinfo">${name}</a>` : name}
    </p>
    <p class="meta">
      ${timeOf(at, now)} · from ${by} · ${bytesForPeople(narSize)}, packed ${bytesForPeople(fileSize)} · rules
      <span class="path">${rules.slice(0, 12)}</span>
    </p>`;
}

/** All that was denied, and the form to deny what is not in quarantine. */
export function denialsPage(frame: Frame, { denials, now }: DenialsView): string {
  return page(
    frame,
    '/review/denials',
    'Denials',
    html`<h1>Denials</h1>
      <div class="columns">
        <div class="wide">
          ${rowsOf(denials, (denial) => denialRow(frame, denial, now), 'Nothing is denied.')}
        </div>
        <div class="narrow">
          <section class="panel" aria-labelledby="deny-title">
            <h2 id="deny-title">Deny something</h2>
            ${actionForm(frame, '/review/denials', { text: 'Deny', kind: 'danger' }, [
              html`<p class="field">
                <label for="deny-named">Store path, NarHash, or id in quarantine</label>
                <input
                  id="deny-named"
                  name="named"
                  required
                  maxlength="1000"
                  autocomplete="off"
                  spellcheck="false"
                />
              </p>`,
              reasonField('deny-reason'),
            ])}
          </section>
        </div>
      </div>`,
  );
}

function denialRow(frame: Frame, denial: DenialsView['denials'][number], now: number): Html {
  const { storePath, hashPart, narHash } = denial;
  return html`<p class="row-head">${pathName(storePath ?? hashPart ?? narHash ?? '')}</p>
    ${decisionPart(frame, denial, now, null)}`;
}

/** Homes that were settled. */
export function homesPage(frame: Frame, { approvals, now }: HomesView): string {
  return page(
    frame,
    '/review/homes',
    'Settled homes',
    html`<h1>Settled homes</h1>
      <p class="note">
        Homes of others in text for which nothing is held any more. They are settled on the page of an output
        in which they were found.
      </p>
      ${rowsOf(
        approvals,
        ({ home, reason, actor, at }) =>
          html`<p class="row-head"><span class="path">${home}</span></p>
            <p class="reason">${reason}</p>
            <p class="meta">${timeOf(at, now)} · ${actor}</p>`,
        'None was settled.',
      )}`,
  );
}
