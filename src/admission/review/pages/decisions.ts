import type { Denial, Release } from '../../../quarantine/decision.ts';
import { counted } from '../../../report/units.ts';
import { actionForm, reasonField } from '../forms.ts';
import { html, type Html, type Part } from '../html.ts';
import { badge } from '../names.ts';
import type { Frame } from '../page.ts';
import { shortTime, timeOf } from '../time.ts';
import type { OutputView } from '../views.ts';

const DAY = 86_400_000;
/** What is offered for the end of a release. */
const DAYS_RELEASED = 30;

/** What was decided about an output, and the forms to decide. */
export function decisionsPanel(frame: Frame, view: OutputView): Html {
  const { record, decisions, standing, settleable, kept, now } = view;
  const path = `/review/outputs/${record.id}`;
  return html`${
      decisions.length > 0 &&
      html`<section aria-labelledby="decided-title" class="panel">
        <h2 id="decided-title">Decided</h2>
        <ul class="decided">
          ${decisions.map((decision) => html`<li>${decisionPart(frame, decision, now, record.id)}</li>`)}
        </ul>
      </section>`
    }
    <section aria-labelledby="decide" class="panel">
      <h2 id="decide" tabindex="-1">Decide</h2>
      ${settleable.map((home, at) => settleForm(frame, path, home, at))} ${releasePart(frame, view, path)}
      ${
        standing !== 'denied' &&
        html`<details>
          <summary>Deny it for good</summary>
          ${actionForm(frame, `${path}/deny`, { text: 'Deny', kind: 'danger' }, [
            html`<p class="note">
              Neither this store path nor this content is ever let in, whatever is found in it.
            </p>`,
            reasonField('deny-reason'),
          ])}
        </details>`
      }
      ${frame.caller.scopes.has('admin') && (kept !== null || view.found !== null) && purgeForm(frame, path, kept)}
    </section>`;
}

function releasePart(frame: Frame, { record, standing, seen, now }: OutputView, path: string): Part {
  if (standing === 'denied') return html`<p class="note">Lift its denial to release it.</p>`;
  if (record.narHash === null)
    return html`<p class="note">It could not be read as a whole, so it cannot be released.</p>`;
  const count = record.blocking.length;
  return html`<details${standing === 'undecided' && html` open`}><summary>Release it</summary>
${actionForm(frame, `${path}/release`, { text: 'Release', kind: 'primary' }, [
  html`<p class="note">
      It is let in, in spite of exactly the ${counted(count, 'finding or gap', 'findings and gaps')} above.
      Whoever sent it sends it again.
    </p>
    <input type="hidden" name="seen" value="${seen}" />`,
  reasonField('release-reason'),
  html`<p class="field">
    <label for="release-expires">Until (UTC), or nothing for always</label>
    <input
      id="release-expires"
      name="expires"
      type="date"
      min="${dayOf(now + DAY)}"
      value="${dayOf(now + DAYS_RELEASED * DAY)}"
    />
  </p>`,
])}</details>`;
}

function settleForm(frame: Frame, path: string, home: string, at: number): Html {
  return html`<details open>
    <summary>Settle the home <span class="path">${home}</span></summary>
    ${actionForm(frame, `${path}/approve`, { text: 'Settle', kind: 'primary', about: home }, [
      html`<p class="note">
          Nothing is held any more for this home in text. It stays an error in links, search paths and the
          like.
        </p>
        <input type="hidden" name="home" value="${home}" />`,
      reasonField(`settle-reason-${at}`, 'Why it is no leak'),
    ])}
  </details>`;
}

function purgeForm(frame: Frame, path: string, kept: number | null): Html {
  return html`<details>
    <summary>Purge what is kept</summary>
    ${actionForm(frame, `${path}/purge`, { text: 'Purge', kind: 'danger' }, [
      html`<p class="note">That it was refused stays in the audit trail.</p>`,
      reasonField('purge-reason'),
      html`<fieldset>
          <legend>What goes</legend>
          <p>
            <input
              type="radio"
              id="purge-nar"
              name="what"
              value="nar"
              ${kept === null ? html` disabled` : html` checked`}
            /><label for="purge-nar">the NAR</label>
          </p>
          <p>
            <input
              type="radio"
              id="purge-all"
              name="what"
              value="all"
              ${kept === null && html` checked`}
            /><label for="purge-all">the NAR and what was found in it</label>
          </p>
        </fieldset>
        <p class="check">
          <input type="checkbox" id="purge-sure" name="sure" value="yes" required /><label for="purge-sure"
            >It cannot be had back</label
          >
        </p>`,
    ])}
  </details>`;
}

/**
 * A denial or a release, with the form that takes it back.
 * @param output on whose page it stands; null for another page
 */
export function decisionPart(
  frame: Frame,
  decision: Denial | Release,
  now: number,
  output: string | null,
): Html {
  const { sequence, actor, reason, at, trail } = decision;
  const isRelease = 'covers' in decision;
  const until = isRelease && decision.expires !== null ? html` until ${shortTime(decision.expires)}` : null;
  const id = `lift-${sequence}`;
  const lift =
    trail === undefined
      ? html`<details>
          <summary>Lift it</summary>
          ${actionForm(
            frame,
            `/review/decisions/${sequence}/lift`,
            { text: 'Lift', kind: 'plain', about: `record ${sequence}` },
            [
              output !== null && html`<input type="hidden" name="output" value="${output}" />`,
              reasonField(id),
            ],
          )}
        </details>`
      : html`<p class="note">
          It stands in the trail <span class="path">${trail}</span> and is lifted there.
        </p>`;
  return html`<p>${badge(isRelease ? 'released' : 'denied')} by ${actor}${until}</p>
    <p class="reason">${reason}</p>
    <p class="meta">${timeOf(at, now)} · record ${sequence}</p>
    ${lift}`;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
