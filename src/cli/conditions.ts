import type { FactPolicy } from '../policy/policy.ts';
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
