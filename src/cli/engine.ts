import type { Worker } from 'node:worker_threads';
import { compileEngine } from '../kernel/create.ts';
import { LIMITS } from '../model/limits.ts';
import { RULES } from '../model/facts.ts';
import type { FactPolicy } from '../policy/policy.ts';
import { loadDigest } from '../report/ids.ts';
import type { NeedleContext } from '../needles/compile.ts';
import { needleContext, scanTargets, type Surrounded } from '../scan/scan.ts';
import type { Invocation } from './invocation.ts';
import type { Judge } from './judge.ts';
import type { Engine } from './scanCommand.ts';

/**
 * Drives the scan for the command line, on threads that `startWorkers` started.
 * @param policy what the facts depend on besides the command line
 * @param judge of what is found
 */
export function engineOn(workers: readonly Worker[], policy: FactPolicy, judge: Judge): Engine {
  // asked for twice: what this machine tells may be slow to come
  let context: Promise<NeedleContext> | null = null;
  const contextOf = (request: Surrounded): Promise<NeedleContext> => (context ??= needleContext(request));
  return {
    async origin(invocation) {
      const request = underPolicy(invocation, policy);
      const [context, digest] = await Promise.all([contextOf(request), loadDigest()]);
      const depends = { rules: RULES, context, limits: LIMITS, containers: request.limits };
      return { kernel: compileEngine().engine, rules: digest(Buffer.from(JSON.stringify(depends))) };
    },
    async scan(invocation, events, signal) {
      const request = underPolicy(invocation, policy);
      await scanTargets(
        { ...request, context: contextOf(request), ownProcess: true },
        workers,
        {
          output: (facts) => events.output(judge.judge(facts)),
          error: (error) => events.error(error),
          progress: (progress) => events.progress(progress),
        },
        signal,
      );
    },
    conclude: (errors) => judge.conclude(errors),
  };
}

/** What was said on the command line and in the policy together; of two limits the command line's counts. */
function underPolicy<T extends Pick<Invocation, 'homes' | 'aliases' | 'limits'>>(
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
