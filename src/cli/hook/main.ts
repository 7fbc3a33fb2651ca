import { readFileSync } from 'node:fs';
import { runHook } from '../../guard/hook/hook.ts';
import { runNext } from '../../guard/hook/next.ts';
import { NarScanError } from '../../model/errors.ts';
import { reportError } from '../../model/report.ts';
import { readArguments } from '../arguments.ts';
import { todaysDecisions } from '../decisions.ts';
import { tellError, writeDiagnostic } from '../diagnostics.ts';
import { EXIT_ERROR } from '../exitStatus.ts';
import { openGate } from '../gate.ts';
import { surroundedOf } from '../invocation.ts';
import { loadPolicy } from '../policy/policyFile.ts';
import { policyMemory } from '../policy/policyMemory.ts';
import { Deadline } from './deadline.ts';

/** Runs nar-scan-post-build-hook, which takes no arguments, and ends it with the exit status. */
export async function main(): Promise<never> {
  process.on('uncaughtException', (error) => process.exit(failed(error)));
  const deadline = new Deadline();
  process.exit(await Promise.race([run(deadline, process.env), deadline.over()]).catch(failed));
}

async function run(deadline: Deadline, environment: NodeJS.ProcessEnv): Promise<number> {
  const { signal } = deadline;
  refuseArguments(process.argv.slice(2));
  const now = new Date();
  const { policy } = await loadPolicy(null, environment, undefined, () => policyMemory(environment));
  deadline.set(policy.gate.guard.deadline);
  const surrounded = surroundedOf(readArguments([]), environment);
  using decisions = await todaysDecisions(environment);
  const isOver = (): boolean => deadline.isOver();
  // the hook that follows may take long
  const endsProcess = policy.gate.guard.next.length === 0;
  const asked = { surrounded, policy, environment, decisions, now, isOver, endsProcess, warn: fault };
  const gate = await openGate(asked);
  const { stateDirs, diskOf } = gate;
  return await runHook({
    environment,
    policy,
    storeDir: surrounded.storeDir,
    stateDirs,
    diskOf,
    ask: async (closure) => {
      const answer = await gate.ask(closure, signal);
      deadline.check();
      return answer;
    },
    origin: () => gate.origin(version()),
    // loaded only where there is something to keep
    keeper: async () =>
      (await import('./keeper.ts')).hookKeeper({ environment, policy, diskOf, now, warn: fault }),
    next: (words, variables) => runNext(words, variables, signal),
    say: (line) => writeDiagnostic(`nar-scan: ${line}\n`),
    fault: tellError,
  });
}

/** Nix gives none: somebody tries it out. */
function refuseArguments([first]: readonly string[]): void {
  if (first === undefined) return;
  throw new NarScanError(
    'GUARD_BAD_ENVIRONMENT',
    `nar-scan-post-build-hook takes no arguments such as '${first}': Nix runs it after a build`,
  );
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function fault(error: unknown): void {
  tellError(reportError(error, null));
}

/** One line about an error that ended the hook: what was built was not judged, and the build fails. */
function failed(error: unknown): number {
  fault(error);
  const traced = process.env['NAR_SCAN_DEBUG'] === '1' && error instanceof Error;
  if (traced) writeDiagnostic(`${error.stack ?? ''}\n`);
  return EXIT_ERROR;
}
