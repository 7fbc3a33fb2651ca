import type { FactPolicy, VerdictPolicy } from '../../policy/policy.ts';
import type { Invocation } from '../invocation.ts';
import { type BaselineUpdate, Judge } from '../judge.ts';
import { loadPolicy } from './policyFile.ts';

/** The policy of one run: what its facts depend on, and who judges them. */
interface Ruling {
  readonly facts: FactPolicy;
  readonly judge: Judge;
}

/**
 * Reads the policy and the baseline that a run needs, before anything is scanned.
 * @throws NarScanError POLICY_UNREADABLE, POLICY_INVALID, POLICY_UNSAFE
 */
export async function rulingOf(
  { policy: named, updateBaseline, strict }: Invocation,
  environment: NodeJS.ProcessEnv,
  now: Date,
): Promise<Ruling> {
  const { policy } = await loadPolicy(named, environment);
  const verdict = { ...policy.verdict, strict };
  const update = updateBaseline === null ? null : await baselineUpdate(updateBaseline, verdict, now);
  return { facts: policy.facts, judge: new Judge(verdict, now, update) };
}

async function baselineUpdate(path: string, verdict: VerdictPolicy, now: Date): Promise<BaselineUpdate> {
  const [{ BaselineFile }, { Baseline }] = await Promise.all([
    import('./baselineFile.ts'),
    import('../../policy/baseline.ts'),
  ]);
  const file = new BaselineFile(path);
  return { file, baseline: new Baseline(file.waivers, verdict, now) };
}
