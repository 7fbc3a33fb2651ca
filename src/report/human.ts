import { type Finding, type Gap, SEVERITIES, type Severity, type Verdict, VERDICTS } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';
import { type Entry, entriesWorstFirst, gapsByReason, kindsWorstFirst } from './grouping.ts';
import { type Paint, painter, type Role } from './paint.ts';
import { printableBytes, printableText } from './printable.ts';
import { remedyFor } from './remedies.ts';
import type { Reporter, RunSummary } from './reporter.ts';
import { cropAround, wrapped } from './lines.ts';
import { bytesForPeople, counted } from './units.ts';

export interface HumanOptions {
  readonly color: boolean;
  /** Width of the terminal in columns. */
  readonly columns: number;
  /** One line for each output that is not clean, nothing else. */
  readonly quiet: boolean;
  /** Nothing is folded or cropped. */
  readonly verbose: boolean;
}

/** What is listed before the rest is only counted. */
const FOLD = { entries: 20, findingsPerKind: 3, gapsPerReason: 3 } as const;

const ROLE_OF_VERDICT: Readonly<Record<Verdict, Role>> = {
  contaminated: 'bad',
  incomplete: 'doubtful',
  clean: 'good',
};
const ROLE_OF_SEVERITY: Readonly<Record<Severity, Role>> = {
  error: 'bad',
  warning: 'doubtful',
  note: 'faint',
};

/** A report for people: by output and entry, the worst first. Everything from outside is made printable. */
export function humanReporter(options: HumanOptions): Reporter {
  const paint = painter(options.color);
  const totals = new Totals();
  const view = options.quiet ? quietLine : outputBlock;
  return {
    begin: () => '',
    output(result) {
      totals.add(result);
      return view(result, options, paint);
    },
    end: (summary) => (options.quiet ? [] : [totals.line(summary, paint)]),
  };
}

/** Sums over all outputs, for the last line. */
class Totals {
  readonly #verdicts: Record<Verdict, number> = { clean: 0, contaminated: 0, incomplete: 0 };
  readonly #severities: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  #outputs = 0;
  #gaps = 0;
  #files = 0;
  #bytes = 0;

  add(result: OutputResult): void {
    this.#outputs++;
    this.#verdicts[result.verdict]++;
    for (const finding of result.findings) this.#severities[finding.severity] += 1 + finding.more;
    this.#gaps += result.gaps.length;
    this.#files += result.stats.files;
    this.#bytes += result.stats.bytes;
  }

  line(summary: RunSummary, paint: Paint): string {
    const verdicts = VERDICTS.filter((verdict) => this.#verdicts[verdict] > 0).map(
      (verdict) => `${this.#verdicts[verdict].toLocaleString('en-US')} ${verdict}`,
    );
    const parts = [
      counted(this.#outputs, 'output') + (verdicts.length > 0 ? ` (${verdicts.join(', ')})` : ''),
      severityCounts(this.#severities),
      this.#gaps === 0 ? '' : counted(this.#gaps, 'gap'),
      summary.errors.length === 0 ? '' : `${counted(summary.errors.length, 'fault')} of the run`,
      `${counted(this.#files, 'file')}, ${bytesForPeople(this.#bytes)} in ${(summary.milliseconds / 1000).toFixed(2)} s`,
    ].filter((part) => part !== '');
    return `${paint(ROLE_OF_VERDICT[summary.verdict], summary.verdict)}: ${parts.join('; ')}\n`;
  }
}

function severityCounts(counts: Readonly<Record<Severity, number>>): string {
  return SEVERITIES.filter((severity) => counts[severity] > 0)
    .map((severity) => counted(counts[severity], severity))
    .join(', ');
}

function quietLine(result: OutputResult, _options: HumanOptions, paint: Paint): string {
  const counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  for (const finding of result.findings) counts[finding.severity] += 1 + finding.more;
  const gaps = result.gaps.length === 0 ? '' : counted(result.gaps.length, 'gap');
  const parts = [severityCounts(counts), gaps].filter((part) => part !== '');
  return parts.length === 0 ? '' : `${title(result, paint)}: ${parts.join(', ')}\n`;
}

function title(result: OutputResult, paint: Paint): string {
  const target = printableText(result.target);
  const path = result.storePath === null ? target : printableText(result.storePath);
  return `${paint(ROLE_OF_VERDICT[result.verdict], result.verdict)} ${paint('strong', path)}${path === target ? '' : ` (${target})`}`;
}

function outputBlock(result: OutputResult, options: HumanOptions, paint: Paint): string {
  const notes = options.verbose ? 0 : result.findings.filter((finding) => finding.severity === 'note').length;
  const shown =
    notes === 0 ? result.findings : result.findings.filter((finding) => finding.severity !== 'note');
  const entries = entriesWorstFirst(shown);
  const listed = options.verbose ? entries : entries.slice(0, FOLD.entries);
  const explained = new Set<string>();
  const hidden = entries.length - listed.length;
  const lines = [
    title(result, paint),
    ...listed.flatMap((entry) => [...entryLines(entry, explained, options, paint)]),
    ...(hidden > 0
      ? [`  … and in ${hidden} more ${hidden === 1 ? 'entry' : 'entries'} (--verbose lists them)`]
      : []),
    ...(notes > 0 ? [`  ${paint('faint', `${counted(notes, 'note')} (--verbose lists them)`)}`] : []),
    ...gapLines(result.gaps, options, paint),
  ];
  return `${lines.join('\n')}\n`;
}

function* entryLines(
  entry: Entry,
  explained: Set<string>,
  options: HumanOptions,
  paint: Paint,
): Generator<string> {
  yield `  ${entryName(entry.name)}`;
  for (const kind of kindsWorstFirst(entry.findings)) {
    const listed = options.verbose ? kind : kind.slice(0, FOLD.findingsPerKind);
    for (const finding of listed) yield* findingLines(finding, options, paint);
    const hidden = kind.length - listed.length;
    const more = kind.reduce((sum, finding) => sum + finding.more, hidden);
    if (more > 0) yield `      … and ${more} more of this kind${hidden > 0 ? ' (--verbose lists more)' : ''}`;
    for (const { rule, carrier } of listed.slice(0, 1)) {
      const remedy = remedyFor(rule, carrier);
      if (explained.has(remedy)) continue;
      explained.add(remedy);
      yield* wrapped(`fix: ${remedy}`, '      ', options.columns).map((line) => paint('faint', line));
    }
  }
}

function findingLines(finding: Finding, options: HumanOptions, paint: Paint): readonly string[] {
  const { rule, severity, home, alias, evidence, marked } = finding;
  const what = [alias, home].filter((path) => path !== null).map(printableBytes)[0] ?? '';
  const place = `${finding.carrier}${placeOf(finding)}, ${finding.encoding}`;
  const [before, leak, after] = cropAround(
    printableBytes(evidence.slice(0, marked[0])),
    printableBytes(evidence.slice(marked[0], marked[1])),
    printableBytes(evidence.slice(marked[1])),
    options.verbose ? Number.POSITIVE_INFINITY : options.columns - 8,
  );
  return [
    `    ${paint(ROLE_OF_SEVERITY[severity], severity)} ${rule}${what === '' ? '' : ` ${what}`} (${place})`,
    `      ${before}${options.color ? paint('leak', leak) : `«${leak}»`}${after}`,
  ];
}

function placeOf({ location }: Finding | Gap): string {
  const { container, section, field, offset } = location;
  return [
    field === undefined ? '' : ` ${printableText(field)}`,
    offset === null ? '' : ` at ${offset}`,
    section === undefined ? '' : ` of ${printableText(section)}`,
    container.length === 0 ? '' : ` in ${container.map(printableBytes).join(' > ')}`,
  ].join('');
}

function* gapLines(gaps: readonly Gap[], options: HumanOptions, paint: Paint): Generator<string> {
  if (gaps.length === 0) return;
  yield `  ${paint('doubtful', 'not inspected')}: ${counted(gaps.length, 'gap')}`;
  for (const [reason, group] of gapsByReason(gaps)) {
    yield `    ${reason}: ${group.length.toLocaleString('en-US')}`;
    const listed = options.verbose ? group : group.slice(0, FOLD.gapsPerReason);
    for (const gap of listed) {
      yield `      ${entryName(gap.location.entry)}${placeOf(gap)}: ${printableText(gap.detail)}`;
    }
    const hidden = group.length - listed.length;
    if (hidden > 0) yield `      … and ${hidden.toLocaleString('en-US')} more (--verbose lists them)`;
  }
}

function entryName(entry: string): string {
  return entry === '' ? '(the output itself)' : printableBytes(entry);
}
