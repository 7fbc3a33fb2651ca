import { bytesForPeople } from '../../../report/units.ts';
import { html, type Html } from '../html.ts';
import { pathName, shortName, standingBadge } from '../names.ts';
import { type Frame, page } from '../page.ts';
import { timeOf } from '../time.ts';
import type { OutputView } from '../views.ts';
import { decisionsPanel } from './decisions.ts';
import { findingsPanel } from './findings.ts';

/** One output: what was found in it, and what can be done about it. */
export function outputPage(frame: Frame, view: OutputView): string {
  const { record, standing, kept, now } = view;
  const { id, storePath, narHash, verdict, at, actor, notKept } = record;
  const nothing = notKept === null ? 'not kept' : `not kept: ${notKept}`;
  return page(
    frame,
    '/review',
    shortName(storePath),
    html`<h1>${shortName(storePath)}</h1>
      <p class="lead">${standingBadge(standing, verdict)} ${pathName(storePath)}</p>
      <p class="jump"><a href="#decide">Go to what can be decided</a></p>
      <div class="columns">
        <div class="wide">${findingsPanel(view)}</div>
        <div class="narrow">
          <section aria-labelledby="facts-title" class="panel">
            <h2 id="facts-title">Output</h2>
            <dl class="facts">
              ${fact('Refused', timeOf(Date.parse(at), now))} ${fact('Sent by', html`${actor}`)}
              ${fact('Verdict then', html`${verdict}`)}
              ${fact('NarHash', html`<span class="path">${narHash ?? 'none: it could not be read as a whole'}</span>`)}
              ${fact('NAR', html`${kept === null ? nothing : `kept, ${bytesForPeople(kept)} packed`}`)}
              ${fact('Id', html`<span class="path">${id}</span>`)}
            </dl>
          </section>
          ${decisionsPanel(frame, view)}
        </div>
      </div>`,
  );
}

function fact(name: string, value: Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
