import { recordText } from '../../../quarantine/recordText.ts';
import type { AuditRecord } from '../../../quarantine/trail/record.ts';
import { bytesForPeople } from '../../../report/units.ts';
import { actionForm, reasonField } from '../forms.ts';
import { html, type Html } from '../html.ts';
import { badge, pathName } from '../names.ts';
import { type Frame, page } from '../page.ts';
import { timeOf } from '../time.ts';
import type { DenialsView, HomesView, PublishedView, TrailView } from '../views.ts';
import { decisionPart } from './decisions.ts';

/** The audit trail, the latest record first. */
export function trailPage(frame: Frame, { records, next, now }: TrailView): string {
  return page(
    frame,
    '/review/trail',
    'Audit trail',
    html`<h1>Audit trail</h1>
      ${records.length === 0 && html`<p class="none">Nothing has happened yet.</p>`}
      <ol class="rows">
        ${records.map((record) => recordRow(record, now))}
      </ol>
      ${next !== null && html`<p class="more"><a href="/review/trail?before=${next}">Older ones</a></p>`}`,
  );
}

function recordRow(record: AuditRecord, now: number): Html {
  const { seq, event, actor, at } = record;
  const text = recordText(record);
  const about =
    'id' in record && record.id !== null ? html`<a href="/review/outputs/${record.id}">${text}</a>` : text;
  return html`<li class="row">
    <p class="row-head">${badge(event)} <span class="path">${about}</span></p>
    <p class="meta">${timeOf(Date.parse(at), now)} · ${actor} · record ${seq}</p>
  </li>`;
}

/** What is served, the latest first. */
export function publishedPage(frame: Frame, { paths, isLast, now }: PublishedView): string {
  const last = paths.at(-1);
  return page(
    frame,
    '/review/published',
    'Published',
    html`<h1>Published paths</h1>
      ${paths.length === 0 && html`<p class="none">Nothing more is published.</p>`}
      <ol class="rows">
        ${paths.map(
          ({ storePath, hashPart, verdict, narSize, fileSize, by, at, rules }) =>
            html`<li class="row">
              <p class="row-head">
                ${badge(verdict)} <a href="/${hashPart}.narinfo">${pathName(storePath)}</a>
              </p>
              <p class="meta">
                ${timeOf(at, now)} · from ${by} · ${bytesForPeople(narSize)}, packed
                ${bytesForPeople(fileSize)} · rules <span class="path">${rules.slice(0, 12)}</span>
              </p>
            </li>`,
        )}
      </ol>
      ${!isLast && last !== undefined && html`<p class="more"><a href="/review/published?at=${last.at}&amp;hash=${last.hashPart}">Older ones</a></p>`}`,
  );
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
          ${denials.length === 0 && html`<p class="none">Nothing is denied.</p>`}
          <ol class="rows">
            ${denials.map(
              (denial) =>
                html`<li class="row">
                  <p class="row-head">
                    ${pathName(denial.storePath ?? denial.hashPart ?? denial.narHash ?? '')}
                  </p>
                  ${decisionPart(frame, denial, now)}
                </li>`,
            )}
          </ol>
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
      ${approvals.length === 0 && html`<p class="none">None was settled.</p>`}
      <ol class="rows">
        ${approvals.map(
          ({ home, reason, actor, at }) =>
            html`<li class="row">
              <p class="row-head"><span class="path">${home}</span></p>
              <p class="reason">${reason}</p>
              <p class="meta">${timeOf(at, now)} · ${actor}</p>
            </li>`,
        )}
      </ol>`,
  );
}
