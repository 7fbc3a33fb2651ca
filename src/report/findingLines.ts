import type { Finding, Severity, TracedFinding } from '../model/facts.ts';
import { columnsOf, lastColumns } from './columns.ts';
import { type Entry, kindsWorstFirst } from './grouping.ts';
import type { HumanView } from './humanView.ts';
import { cropAround, wrapped } from './lines.ts';
import type { Role } from './paint.ts';
import { chainOf, entryName, membersOf, spotOf } from './place.ts';
import { printableBytes, printableText } from './printable.ts';
import { remedyOf } from './remedies.ts';
import { markedEvidence } from './evidence.ts';
import { underlined } from './underline.ts';
import { counted } from './units.ts';
import { waiverOf } from './waived.ts';

/** Places of one kind that are named before the rest is only counted: the one shown, and these. */
const FURTHER_PLACES = 2;

const ROLE_OF_SEVERITY: Readonly<Record<Severity, Role>> = {
  error: 'bad',
  warning: 'doubtful',
  note: 'faint',
};

const INDENT = '      ';

/**
 * The findings of one entry, each kind with its worst place, its count and what to do about it.
 * @param explained remedies that were told for this output already; grows
 */
export function* entryLines(entry: Entry, explained: Set<string>, view: HumanView): Generator<string> {
  yield `  ${entryName(entry.name)}`;
  for (const kind of kindsWorstFirst(entry.findings)) {
    const listed = view.verbose ? kind : kind.slice(0, 1);
    for (const finding of listed) yield* findingLines(finding, view);
    yield* foldedLines(kind.slice(listed.length), kind, view);
    for (const finding of listed.slice(0, 1)) {
      const remedy = remedyOf(finding);
      if (explained.has(remedy)) continue;
      explained.add(remedy);
      const fix = wrapped(`fix: ${remedy}`, INDENT, view.columns, `${INDENT}     `);
      yield* fix.map((line) => view.paint('faint', line));
    }
  }
}

function* findingLines(finding: TracedFinding, view: HumanView): Generator<string> {
  const { rule, severity, home, alias, carrier, encoding, location, source } = finding;
  const what = [alias, home].filter((path) => path !== null).map(printableBytes)[0] ?? '';
  const written = encoding === 'plain' ? '' : `, in ${encoding}`;
  const waiver = waiverOf(finding);
  yield [
    `    ${view.paint(ROLE_OF_SEVERITY[severity], severity)} ${rule}${what === '' ? '' : ` ${what}`}`,
    ` (${carrier}${spotOf(finding)}${written})`,
    source === undefined ? '' : ` as in the source ${printableText(source)}`,
    waiver === null ? '' : ` waived: ${printableText(waiver)}`,
  ].join('');
  if (location.container.length > 0) {
    const chain = chainOf(location);
    yield INDENT + (view.verbose ? chain : lastColumns(chain, view.columns - INDENT.length));
  }
  yield* evidenceLines(finding, view);
}

/** The leak in what stands around it, underlined; text that is not there in these bytes is called decoded. */
function* evidenceLines(finding: Finding, view: HumanView): Generator<string> {
  const { encoding } = finding;
  const label = encoding === 'plain' ? '' : 'decoded: ';
  const columns = view.columns - INDENT.length - columnsOf(label);
  const whole = markedEvidence(finding);
  let margin = INDENT + label;
  for (const row of underlined(view.verbose ? whole : cropAround(whole, columns), columns)) {
    const leak = row.leak === '' ? '' : view.paint('leak', row.leak);
    yield `${margin}${row.before}${leak}${row.after}`;
    margin = ' '.repeat(INDENT.length + label.length);
    if (row.carets !== '') yield margin + row.carets.replace(/\^+/, (carets) => view.paint('bad', carets));
  }
}

/** One line for what is like the finding above it: how many, and where the first of them are. */
function* foldedLines(
  folded: readonly Finding[],
  kind: readonly Finding[],
  view: HumanView,
): Generator<string> {
  const uncounted = kind.reduce((sum, { more }) => sum + more, 0);
  const count = folded.length + uncounted;
  if (count === 0) return;
  const [shown] = kind;
  const places = folded.slice(0, FURTHER_PLACES).map((finding) => {
    const members = membersOf(finding.location);
    const elsewhere = shown !== undefined && members !== membersOf(shown.location);
    const written = finding.encoding === shown?.encoding ? '' : `, in ${finding.encoding}`;
    return `${spotOf(finding).trim()}${elsewhere ? ` in ${members === '' ? 'the file' : members}` : ''}${written}`;
  });
  const named = places.filter((place) => place !== '');
  const where = named.length === 0 ? '' : ` (${named.join('; ')}${count > named.length ? '; …' : ''})`;
  yield* wrapped(
    `… and ${counted(count, 'more like it', 'more like it')}${where}`,
    INDENT,
    view.columns,
    `${INDENT}  `,
  );
}
