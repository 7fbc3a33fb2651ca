import { SEVERITIES, type Severity, type Verdict, VERDICTS } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';
import { aliasLines } from './aliasLines.ts';
import { entryLines } from './findingLines.ts';
import { gapLines } from './gapLines.ts';
import { entriesWorstFirst } from './grouping.ts';
import type { HumanView } from './humanView.ts';
import { type Paint, painter, type Role } from './paint.ts';
import { printableText } from './printable.ts';
import type { Reporter, RunSummary } from './reporter.ts';
import { bytesForPeople, counted } from './units.ts';
import { waiverOf } from './waived.ts';

export interface HumanOptions {
  readonly color: boolean;
  /** Width of the terminal in columns. */
  readonly columns: number;
  /** One line for each output that is not clean, nothing else. */
  readonly quiet: boolean;
  /** Nothing is folded or cropped. */
  readonly verbose: boolean;
}

/** Entries of one output that are listed before the rest is only counted. */
const ENTRIES_LISTED = 20;

const ROLE_OF_VERDICT: Readonly<Record<Verdict, Role>> = {
  contaminated: 'bad',
  incomplete: 'doubtful',
  clean: 'good',
};

/** A report for people: by output and entry, the worst first. Everything from outside is made printable. */
export function humanReporter(options: HumanOptions): Reporter {
  const paint = painter(options.color);
  const totals = new Totals();
  const view = options.quiet ? quietLine : outputBlock;
  return {
    begin: () => '',
    output(result) {
      if (!options.quiet) totals.add(result);
      return view(result, options, paint);
    },
    end: (summary) =>
      options.quiet
        ? []
        : [unusedLines(summary, paint), totals.line(summary, paint)].filter((text) => text !== ''),
  };
}

/** Sums over all outputs, for the last line. */
class Totals {
  readonly #verdicts: Record<Verdict, number> = { clean: 0, contaminated: 0, incomplete: 0 };
  readonly #severities: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  #outputs = 0;
  #gaps = 0;
  #waived = 0;
  #files = 0;
  #bytes = 0;

  add(result: OutputResult): void {
    this.#outputs++;
    this.#verdicts[result.verdict]++;
    for (const finding of result.findings) {
      if (waiverOf(finding) === null) this.#severities[finding.severity] += 1 + finding.more;
      else this.#waived++;
    }
    for (const gap of result.gaps) {
      if (waiverOf(gap) === null) this.#gaps++;
      else this.#waived++;
    }
    this.#files += result.stats.files;
    this.#bytes += result.stats.bytes;
  }

  line(summary: RunSummary, paint: Paint): string {
    const verdicts = VERDICTS.filter((verdict) => this.#verdicts[verdict] > 0).map((verdict) =>
      counted(this.#verdicts[verdict], verdict, verdict),
    );
    const parts = [
      counted(this.#outputs, 'output') + (verdicts.length > 0 ? ` (${verdicts.join(', ')})` : ''),
      severityCounts(this.#severities),
      this.#gaps === 0 ? '' : counted(this.#gaps, 'gap'),
      this.#waived === 0 ? '' : counted(this.#waived, 'waived', 'waived'),
      summary.errors.length === 0 ? '' : `${counted(summary.errors.length, 'fault')} of the run`,
      `${counted(this.#files, 'file')}, ${bytesForPeople(this.#bytes)} in ${(summary.milliseconds / 1000).toFixed(2)} s`,
    ].filter((part) => part !== '');
    return `${paint(ROLE_OF_VERDICT[summary.verdict], summary.verdict)}: ${parts.join('; ')}\n`;
  }
}

/** Waivers of the policy that nothing needs. */
function unusedLines({ unusedWaivers }: RunSummary, paint: Paint): string {
  if (unusedWaivers.length === 0) return '';
  const lines = unusedWaivers.map((waiver) => `  ${printableText(waiver)}`);
  return `${[paint('doubtful', 'waivers without use'), ...lines].join('\n')}\n`;
}

function severityCounts(counts: Readonly<Record<Severity, number>>): string {
  return SEVERITIES.filter((severity) => counts[severity] > 0)
    .map((severity) => counted(counts[severity], severity))
    .join(', ');
}

function quietLine(result: OutputResult, _options: HumanOptions, paint: Paint): string {
  const counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  for (const finding of result.findings) {
    if (waiverOf(finding) === null) counts[finding.severity] += 1 + finding.more;
  }
  const open = result.gaps.filter((gap) => waiverOf(gap) === null).length;
  const gaps = open === 0 ? '' : counted(open, 'gap');
  const parts = [severityCounts(counts), gaps].filter((part) => part !== '');
  return parts.length === 0 ? '' : `${title(result, paint)}: ${parts.join(', ')}\n`;
}

function title(result: OutputResult, paint: Paint): string {
  const target = printableText(result.target);
  const path = result.storePath === null ? target : printableText(result.storePath);
  return `${paint(ROLE_OF_VERDICT[result.verdict], result.verdict)} ${paint('strong', path)}${path === target ? '' : ` (${target})`}`;
}

function outputBlock(result: OutputResult, options: HumanOptions, paint: Paint): string {
  const { verbose, columns } = options;
  const view: HumanView = { paint, columns, verbose };
  const shown = result.findings.filter(
    (finding) => verbose || (finding.severity !== 'note' && waiverOf(finding) === null),
  );
  const gaps = result.gaps.filter((gap) => verbose || waiverOf(gap) === null);
  const entries = entriesWorstFirst(shown);
  const listed = verbose ? entries : entries.slice(0, ENTRIES_LISTED);
  const explained = new Set<string>();
  const hidden = entries.length - listed.length;
  const lines = [
    title(result, paint),
    ...aliasLines(shown, view),
    ...listed.flatMap((entry) => [...entryLines(entry, explained, view)]),
    ...(hidden > 0
      ? [`  … and in ${counted(hidden, 'more entry', 'more entries')} (--verbose lists them)`]
      : []),
    ...hiddenLine(result, options, paint),
    ...gapLines(gaps, view),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is counted only: notes, and what waivers cover. */
function hiddenLine(
  { findings, gaps }: OutputResult,
  { verbose }: HumanOptions,
  paint: Paint,
): readonly string[] {
  if (verbose) return [];
  const waived = [...findings, ...gaps].filter((fact) => waiverOf(fact) !== null).length;
  const notes = findings.filter(
    (finding) => finding.severity === 'note' && waiverOf(finding) === null,
  ).length;
  const parts = [
    notes === 0 ? '' : counted(notes, 'note'),
    waived === 0 ? '' : `${counted(waived, 'finding or gap', 'findings and gaps')} waived`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? [] : [`  ${paint('faint', `${parts.join('; ')} (--verbose lists them)`)}`];
}
