import type { Gap } from '../model/facts.ts';
import { adviceOn } from './gapAdvice.ts';
import { gapsByReason } from './grouping.ts';
import type { HumanView } from './humanView.ts';
import { wrapped } from './lines.ts';
import { chainOf, spotOf } from './place.ts';
import { printableText } from './printable.ts';
import { counted } from './units.ts';
import { waiverOf } from './waived.ts';

/** What is listed before the rest is only counted. */
const FOLD = { details: 3, places: 3 } as const;

const INDENT = '      ';

/** What was not inspected: by reason, then by what exactly, each with its first places and what to do. */
export function* gapLines(gaps: readonly Gap[], view: HumanView): Generator<string> {
  if (gaps.length === 0) return;
  yield `  ${view.paint('doubtful', 'not inspected')}: ${counted(gaps.length, 'gap')}`;
  for (const [reason, group] of gapsByReason(gaps)) {
    yield `    ${reason}: ${counted(group.length, 'gap')}`;
    const alike = [...Map.groupBy(group, ({ detail }) => detail)].toSorted(
      ([, one], [, other]) => other.length - one.length,
    );
    const listed = view.verbose ? alike : alike.slice(0, FOLD.details);
    for (const [detail, same] of listed) yield* alikeLines(detail, same, view);
    const hidden = alike.slice(listed.length).reduce((sum, [, same]) => sum + same.length, 0);
    if (hidden > 0) yield `${INDENT}… and ${counted(hidden, 'other')} (--verbose lists them)`;
    for (const advice of new Set(group.map(adviceOn))) {
      const lines = wrapped(`what to do: ${advice}`, INDENT, view.columns, `${INDENT}  `);
      yield* lines.map((line) => view.paint('faint', line));
    }
  }
}

function* alikeLines(detail: string, same: readonly Gap[], view: HumanView): Generator<string> {
  const listed = view.verbose ? same : same.slice(0, FOLD.places);
  const places = listed.map((gap) => {
    const waiver = waiverOf(gap);
    return (
      chainOf(gap.location) + spotOf(gap) + (waiver === null ? '' : ` (waived: ${printableText(waiver)})`)
    );
  });
  const head = printableText(detail) + (same.length === 1 ? '' : ` (${counted(same.length, 'time')})`);
  if (view.verbose && same.length > 1) {
    yield `${INDENT}${head}:`;
    for (const place of places) yield `${INDENT}  ${place}`;
    return;
  }
  const more = same.length > listed.length ? ', …' : '';
  yield* wrapped(`${head}: ${places.join(', ')}${more}`, INDENT, view.columns, `${INDENT}  `);
}
