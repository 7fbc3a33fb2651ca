import type { ErrorCode } from './errors.ts';
import { ERRORS, NarScanError } from './errors.ts';
import type { Gap, TracedFacts, TracedFinding, Verdict } from './facts.ts';

/** An error as reports show it. */
export interface ReportError {
  readonly code: ErrorCode;
  /** The argument it belongs to, as given; null where it belongs to none. */
  readonly target: string | null;
  /** One line: what and where. */
  readonly message: string;
  /** One line: what to do about it. */
  readonly hint: string;
}

/** What a policy says of one fact. */
interface Judged {
  /** What of the policy covers it, so that it does not count: file, line and cause of a waiver. */
  readonly waivedBy?: string;
}

/** The facts of one output and the verdict they got under the policy of this run, severities included. */
export interface OutputResult extends TracedFacts {
  readonly findings: readonly (TracedFinding & Judged)[];
  readonly gaps: readonly (Gap & Judged)[];
  readonly verdict: Verdict;
}

/** An error of the table as reports show it; anything else that was thrown is INTERNAL. */
export function reportError(error: unknown, target: string | null): ReportError {
  if (error instanceof NarScanError) {
    return { code: error.code, target, message: error.message, hint: error.hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', target, message, hint: ERRORS.INTERNAL };
}
