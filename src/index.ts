/*
 * The public API: what the command line does, for programs. A verdict is computed from facts under
 * a policy; remember facts, never verdicts.
 */
import { LIMITS } from './model/limits.ts';
import type { TracedFacts } from './model/facts.ts';
import type { NarScanError } from './model/errors.ts';
import { reportError, type ReportError } from './model/report.ts';
import type { Policy } from './policy/policy.ts';
import type { FactMemory, RunConditions } from './scan/memory.ts';
import { scanTargets, type ScanRequest } from './scan/scan.ts';
import { startWorkers } from './scan/thread.ts';

export type * from './model/facts.ts';
export type { ByteString } from './model/bytes.ts';
export { bytesOfByteString, displayText } from './model/bytes.ts';
export { ERRORS, NarScanError, type ErrorCode } from './model/errors.ts';
export type { OutputResult, ReportError } from './model/report.ts';
export { refuseHome } from './needles/homes.ts';
export { nixRealpath, type RealpathOptions } from './nix/realpath.ts';
export { decide, unusedWaivers, type Decision } from './policy/decide.ts';
export { BUILT_IN_POLICY } from './policy/policy.ts';
export type { FactPolicy, Policy, Severities, VerdictPolicy, Waiver } from './policy/policy.ts';
export { verdictOfOutput, verdictOfRun } from './policy/verdict.ts';
export type { ScanRequest } from './scan/scan.ts';
export { LIMITS };

/** What a scan found. No outputs at all is never clean: see `verdictOfRun`. */
export interface ScanResult {
  readonly outputs: readonly TracedFacts[];
  /** Targets that could not be scanned, and workers that died. */
  readonly errors: readonly ReportError[];
  /** What kept things from being remembered, or known: it cost time, and changes no verdict. */
  readonly warnings: readonly ReportError[];
}

export interface ScanOptions {
  /** Worker threads; 1 where nothing is said. */
  readonly jobs?: number;
  readonly signal?: AbortSignal;
  /**
   * The directory of a state, absolute; it is made where it is not there. Facts of valid paths of a Nix store
   * are remembered there, and taken from there where such a path lies unchanged. Else nothing is remembered.
   */
  readonly state?: string;
}

/**
 * The policy that the text of a policy file holds.
 * @param name of the file, for messages and for the places of its waivers
 * @throws NarScanError POLICY_INVALID
 */
export async function readPolicy(bytes: Uint8Array, name: string): Promise<Policy> {
  const { parsePolicy } = await import('./policy/read.ts');
  return parsePolicy(bytes, name);
}

/**
 * Scans targets on `jobs` worker threads and resolves with the facts of their outputs, in the
 * order of the targets. When `signal` aborts, what was not reached is a gap.
 *
 * @throws NarScanError HOMES_UNREADABLE
 */
export async function scan(
  request: ScanRequest,
  { jobs = 1, signal = new AbortController().signal, state }: ScanOptions = {},
): Promise<ScanResult> {
  const outputs: TracedFacts[] = [];
  const errors: ReportError[] = [];
  const warnings: ReportError[] = [];
  const memory = async (conditions: RunConditions): Promise<FactMemory> => {
    const { openMemory } = await import('./ledger/open.ts');
    const warn = (error: NarScanError): void => void warnings.push(reportError(error, null));
    return openMemory({ NAR_SCAN_STATE: state }, conditions, warn);
  };
  const sink = {
    output: (facts: TracedFacts): Promise<void> => {
      outputs.push(facts);
      return Promise.resolve();
    },
    error: (error: ReportError): void => void errors.push(error),
    progress: (): void => undefined,
  };
  const workers = startWorkers(jobs);
  try {
    await scanTargets({ ...request, ...(state === undefined ? {} : { memory }) }, workers, sink, signal);
  } finally {
    // a scan that had nothing to do never employed them, and a waiting thread keeps a program alive
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return { outputs, errors, warnings };
}
