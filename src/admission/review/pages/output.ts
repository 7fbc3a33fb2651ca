import { printableBytes } from '../../../report/printable.ts';
import { bytesForPeople } from '../../../report/units.ts';
import { html, type Html, type Part } from '../html.ts';
import { pathName, shortName, standingBadge } from '../names.ts';
import { type Frame, page } from '../page.ts';
import { timeOf } from '../time.ts';
import type { ContentNames, OutputView } from '../views.ts';
import { decisionsPanel } from './decisions.ts';
import { findingsPanel } from './findings.ts';

/** One output: what was found in it, and what can be done about it. */
export function outputPage(frame: Frame, view: OutputView): string {
  const { record, standing, kept, names, now } = view;
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
              ${names && knownAs(names)} ${fact('Verdict then', html`${verdict}`)}
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

/** What says to a person what it may be. */
function knownAs({ sentAs, paths, entries }: ContentNames): Part {
  // one a line: a name may hold spaces
  const list = (names: readonly Part[]): Html =>
    html`<ul>
      ${names.map((name) => html`<li class="path">${name}</li>`)}
    </ul>`;
  return [
    fact('Store path', html`nobody has told it`),
    sentAs !== null && fact('Sent as', html`<span class="path">${sentAs}</span>`),
    paths.length > 0 && fact('Refused with the same content', list(paths.map(pathName))),
    entries.length > 0 && fact('Holds', list(entries.map(printableBytes))),
  ];
}

function fact(name: string, value: Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
