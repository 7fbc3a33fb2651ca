import type { ContainerLimits } from '../inspect/containers/budget.ts';
import { compileEngine } from '../kernel/create.ts';
import { RULES } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import type { NeedleContext } from '../needles/compile.ts';
import type { FactPolicy } from '../policy/policy.ts';
import { loadDigest } from '../report/ids.ts';
import type { ReportOrigin } from '../report/reporter.ts';
import type { Invocation } from './invocation.ts';

/** What was said on the command line and in the policy together; of two limits the command line's counts. */
export function underPolicy<T extends Pick<Invocation, 'homes' | 'aliases' | 'limits'>>(
  invocation: T,
  policy: FactPolicy,
) {
  return {
    ...invocation,
    homes: [...invocation.homes, ...policy.homes],
    aliases: [...invocation.aliases, ...policy.aliases],
    limits: { ...policy.limits, ...invocation.limits },
    edits: policy.edits,
    digests: policy.digests,
  };
}

/** Which kernel runs here, and the fingerprint of everything the findings depend on. */
export async function fingerprint(
  context: Promise<NeedleContext>,
  containers: Partial<ContainerLimits>,
): Promise<Pick<ReportOrigin, 'rules'> & { readonly kernel: string }> {
  const digest = await loadDigest();
  const depends = { rules: RULES, context: await context, limits: LIMITS, containers };
  return { kernel: compileEngine().engine, rules: digest(Buffer.from(JSON.stringify(depends))) };
}
