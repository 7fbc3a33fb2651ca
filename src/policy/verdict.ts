import type { Finding, Gap, Verdict } from '../model/facts.ts';

/** What of today's policy a verdict depends on. */
export interface VerdictPolicy {
  /** Warnings count as errors. */
  readonly strict: boolean;
}

/** The verdict on one output: contaminated wins over incomplete, incomplete over clean. */
export function verdictOfOutput(
  facts: { readonly findings: readonly Finding[]; readonly gaps: readonly Gap[] },
  policy: VerdictPolicy,
): Verdict {
  if (facts.findings.some((finding) => blocks(finding, policy))) return 'contaminated';
  return facts.gaps.length > 0 ? 'incomplete' : 'clean';
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

function blocks(finding: Finding, policy: VerdictPolicy): boolean {
  return finding.severity === 'error' || (policy.strict && finding.severity === 'warning');
}
