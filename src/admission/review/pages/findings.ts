import { markedEvidence } from '../../../report/evidence.ts';
import { adviceOn } from '../../../report/gapAdvice.ts';
import { gapsByReason } from '../../../report/grouping.ts';
import { entryName, spotOf } from '../../../report/place.ts';
import { printableBytes } from '../../../report/printable.ts';
import { remedyOf } from '../../../report/remedies.ts';
import { counted } from '../../../report/units.ts';
import type { Location } from '../../../model/facts.ts';
import { dumpOf, dumpTitle } from '../dump.ts';
import { html, type Html, type Part } from '../html.ts';
import { badge } from '../names.ts';
import type { OutputView, ShownEntry, ShownFinding } from '../views.ts';

type Gaps = NonNullable<OutputView['found']>['gaps'];

/** Gaps of one reason that are listed. */
const GAPS_LISTED = 10;

/** What was found in an output, and what was not inspected. */
export function findingsPanel({ found, record }: OutputView): Html {
  if (found === null) {
    const kinds = [...record.rules, ...record.gaps].join(', ');
    return html`<section aria-labelledby="found-title">
      <h2 id="found-title">Findings</h2>
      <p class="none">What was found was taken away with it. It was refused for: ${kinds}.</p>
    </section>`;
  }
  const { entries, moreEntries, gaps } = found;
  return html`${
    entries.length > 0 &&
    html`<section aria-labelledby="found-title">
      <h2 id="found-title">Findings</h2>
      ${entries.map(entryPart)}
      ${moreEntries > 0 && html`<p class="none">And in ${counted(moreEntries, 'more entry', 'more entries')}.</p>`}
    </section>`
  }${gaps.length > 0 && gapsPart(gaps)}`;
}

function entryPart({ name, findings }: ShownEntry): Html {
  return html`<article class="entry">
    <h3 class="path">${entryName(name)}</h3>
    ${findings.map(findingPart)}
  </article>`;
}

function findingPart(shown: ShownFinding): Html {
  const { finding, more, settled } = shown;
  const { rule, severity, home, alias, carrier, encoding, location, source, waivedBy } = finding;
  const leak = alias ?? home;
  const { before, leak: marked, after } = markedEvidence(finding);
  return html`<div class="finding">
    <p class="finding-head">
      ${badge(waivedBy !== undefined ? 'waived' : settled !== null ? 'settled' : severity)} <strong>${rule}</strong>
      ${leak !== null && html`<span class="path">${printableBytes(leak)}</span>`}
      <span class="spot">${carrier}${spotOf(finding)}${encoding !== 'plain' && `, in ${encoding}`}</span>
    </p>
    ${chainPart(location)} ${waivedBy !== undefined && html`<p class="note">Does not count: ${waivedBy}</p>`}
    ${settled && html`<p class="note">This home was settled by ${settled.actor}: ${settled.reason}</p>`}
    ${source !== undefined && html`<p class="note">The same text stands in the source <span class="path">${source}</span></p>`}
    ${encoding !== 'plain' && html`<p class="note">Decoded from ${encoding}:</p>`}
    <pre class="text">${before}<mark>${marked}</mark>${after}</pre>
    <details${!saysAll(shown) && html` open`}>
      <summary>${dumpTitle(shown)}</summary>
      <pre class="dump" tabindex="0" role="group" aria-label="${dumpTitle(shown)}">${dumpOf(shown)}</pre>
    </details>
    <p class="fix"><strong>What to change:</strong> ${remedyOf(finding)}</p>
    ${more > 0 && html`<p class="note">And ${counted(more, 'more like it', 'more like it')} in this entry.</p>`}
  </div>`;
}

/** Whether the text around a leak shows what its bytes would. */
function saysAll({ finding: { encoding, evidence } }: ShownFinding): boolean {
  return encoding === 'plain' && /^[\t\n\r -~]*$/.test(evidence);
}

/** What lies in what, from outside in. */
function chainPart({ entry, container }: Location): Part {
  if (container.length === 0) return null;
  const parts = [entryName(entry), ...container.map(printableBytes)];
  return html`<ol class="chain" aria-label="Where it lies, from outside in">
    ${parts.map((part) => html`<li class="path">${part}</li>`)}
  </ol>`;
}

function gapsPart(gaps: Gaps): Html {
  return html`<section aria-labelledby="gaps-title">
    <h2 id="gaps-title">Not inspected</h2>
    ${gapsByReason(gaps).map(([reason, group]) => {
      const listed: Gaps = group.slice(0, GAPS_LISTED);
      const advice = [...new Set(group.map(adviceOn))];
      return html`<article class="entry">
        <h3>${reason} <span class="spot">${counted(group.length, 'gap')}</span></h3>
        <ul class="gaps">
          ${listed.map(gapPart)}
        </ul>
        ${group.length > listed.length && html`<p class="note">And ${group.length - listed.length} more.</p>`}
        ${advice.map((text) => html`<p class="fix"><strong>What to do:</strong> ${text}</p>`)}
      </article>`;
    })}
  </section>`;
}

function gapPart(gap: Gaps[number]): Html {
  const { location, detail, waivedBy } = gap;
  return html`<li>
    <span class="path">${entryName(location.entry)}</span>${spotOf(gap)}: ${detail}
    ${waivedBy !== undefined && ` (does not count: ${waivedBy})`}${chainPart(location)}
  </li>`;
}
