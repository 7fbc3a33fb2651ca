import type { Worker } from 'node:worker_threads';
import { compileEngine } from '../kernel/create.ts';
import { LIMITS } from '../model/limits.ts';
import { RULES } from '../model/facts.ts';
import { verdictOfOutput } from '../policy/verdict.ts';
import { loadDigest } from '../report/ids.ts';
import { needleContext, scanTargets } from '../scan/scan.ts';
import type { Engine } from './scanCommand.ts';

/** Drives the scan for the command line, on threads that `startWorkers` started. */
export const engineOn = (workers: readonly Worker[]): Engine => ({
  async origin(invocation) {
    const [context, digest] = await Promise.all([needleContext(invocation), loadDigest()]);
    const depends = {
      rules: RULES,
      context,
      limits: LIMITS,
      containers: invocation.limits,
      strict: invocation.strict,
    };
    return { kernel: compileEngine().engine, rules: digest(Buffer.from(JSON.stringify(depends))) };
  },
  async scan(invocation, events, signal) {
    const { strict } = invocation;
    await scanTargets(
      { ...invocation, ownProcess: true },
      workers,
      {
        output: (facts) => events.output({ ...facts, verdict: verdictOfOutput(facts, { strict }) }),
        error: (error) => events.error(error),
        progress: (progress) => events.progress(progress),
      },
      signal,
    );
  },
});
