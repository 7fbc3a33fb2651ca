import { reportError } from '../model/report.ts';
import type { TracedFacts } from '../model/facts.ts';
import type { FactPolicy } from '../policy/policy.ts';
import type { NeedleContext } from '../needles/compile.ts';
import { LocalWorker } from '../scan/localWorker.ts';
import type { FactMemory, RunConditions } from '../scan/memory.ts';
import { MainTurns } from '../scan/turns.ts';
import { fingerprint } from '../report/fingerprint.ts';
import { needleContext, scanTargets, type Surrounded } from '../scan/scan.ts';
import { underPolicy } from './conditions.ts';
import type { Crew } from './crew.ts';
import { Denials } from './denials.ts';
import type { Judge } from './judge.ts';
import type { Engine } from './scanCommand.ts';

/**
 * Drives the scan for the command line.
 * @param policy what the facts depend on besides the command line
 * @param judge of what is found
 */
export function engineOn(crew: Crew, policy: FactPolicy, judge: Judge): Engine {
  // asked for twice: what this machine tells may be slow to come
  let context: Promise<NeedleContext> | null = null;
  const contextOf = (request: Surrounded): Promise<NeedleContext> => (context ??= needleContext(request));
  return {
    async origin(invocation) {
      const request = underPolicy(invocation, policy);
      return await fingerprint(contextOf(request), request.limits);
    },
    async scan(invocation, events, signal) {
      const request = underPolicy(invocation, policy);
      const memory = async (conditions: RunConditions): Promise<FactMemory> => {
        const { openMemory } = await import('../ledger/open.ts');
        return openMemory(process.env, conditions, (error) => events.warning(reportError(error, null)));
      };
      await using denials = invocation.hashNars ? new Denials(process.env) : null;
      const told = async (facts: TracedFacts): Promise<void> => {
        const result = judge.judge(facts);
        if (result.verdict !== 'clean' || denials === null) return await events.output(result);
        try {
          await denials.refuse(result);
        } catch (error) {
          events.error(reportError(error, facts.target));
          return await events.output({ ...result, verdict: 'incomplete' });
        }
        await events.output(result);
      };
      await scanTargets(
        {
          ...request,
          context: contextOf(request),
          ownProcess: true,
          ...(invocation.hashNars ? { memory } : {}),
        },
        (targets) => crew.for(targets, () => new LocalWorker({ turns: (awaited) => new MainTurns(awaited) })),
        {
          output: told,
          error: (error) => events.error(error),
          progress: (progress) => events.progress(progress),
        },
        signal,
      );
    },
    conclude: (errors) => judge.conclude(errors),
  };
}
