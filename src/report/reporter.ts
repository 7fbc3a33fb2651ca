import type { Verdict } from '../model/facts.ts';
import type { OutputResult, ReportError } from '../model/report.ts';

/** What is known when a run has ended. */
export interface RunSummary {
  readonly verdict: Verdict;
  readonly errors: readonly ReportError[];
  /** Waivers of the policy that are expired or covered nothing, one line each. */
  readonly unusedWaivers: readonly string[];
  /** Wall time of the whole run. */
  readonly milliseconds: number;
}

/** Who made the report, and under which rules. */
export interface ReportOrigin {
  readonly tool: { readonly name: string; readonly version: string; readonly kernel: string };
  /** Fingerprint of everything the findings depend on. */
  readonly rules: string;
}

/**
 * Turns facts into the text of one report: `begin`, then `output` once for each output, then
 * `end`. The pieces, in that order, are the report. A reporter never writes by itself.
 */
export interface Reporter {
  begin(): string;
  output(result: OutputResult): string;
  /** In pieces, because a whole report may be longer than the longest string. */
  end(summary: RunSummary): readonly string[];
}
