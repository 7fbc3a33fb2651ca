import type { Verdict } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';

/** Warnings count as errors, or do not. */
export interface Strictness {
  readonly strict: boolean;
}

/**
 * The verdict on judged facts of one output: contaminated wins over incomplete, incomplete over
 * clean. Without `decide` before it, under the built-in policy.
 */
export function verdictOfOutput(
  { findings, gaps }: Pick<OutputResult, 'findings' | 'gaps'>,
  policy: Strictness,
): Verdict {
  if (findings.some((finding) => blocks(finding, policy))) return 'contaminated';
  return gaps.some(counts) ? 'incomplete' : 'clean';
}

/** Whether a judged finding makes its output contaminated. */
export function blocks(
  { severity, waivedBy }: OutputResult['findings'][number],
  { strict }: Strictness,
): boolean {
  return waivedBy === undefined && (severity === 'error' || (strict && severity === 'warning'));
}

/** Whether a judged gap makes its output incomplete. */
export function counts({ waivedBy }: OutputResult['gaps'][number]): boolean {
  return waivedBy === undefined;
}

/**
 * The verdict on a whole run. No outputs at all is `incomplete`: nothing was inspected.
 * @param outputs the verdicts of all outputs
 * @param errors how many errors the run met
 */
export function verdictOfRun(outputs: Iterable<Verdict>, errors: number): Verdict {
  const seen = new Set(outputs);
  if (seen.has('contaminated')) return 'contaminated';
  return seen.has('incomplete') || seen.size === 0 || errors > 0 ? 'incomplete' : 'clean';
}
