import { once } from 'node:events';
import { openLog } from '../../admission/http/log.ts';
import { openCacheServer } from '../../admission/server.ts';
import { stateDirForWriting } from '../../ledger/stateDir.ts';
import type { Policy } from '../../policy/policy.ts';
import { printableText } from '../../report/printable.ts';
import type { Arguments } from '../arguments.ts';
import { listenForInterruption } from '../interruption.ts';
import { loadPolicy } from '../policy/policyFile.ts';
import { type ServeInvocation, serveInvocationOf } from './serveInvocation.ts';

/**
 * Runs the cache server until a signal ends it: the first one lets requests under way end, another one, half a second later or more, ends it at once.
 *
 * @param version of this program
 * @param print takes the line that says where it listens
 * @throws NarScanError where it cannot start
 */
export async function runServer(
  said: Arguments,
  outer: NodeJS.ProcessEnv,
  version: string,
  print: (text: string) => void,
): Promise<void> {
  const invocation = serveInvocationOf(said, outer, process.pid);
  const { environment, storeDir, hostHomes, scans, dryRun } = invocation;
  const policy = withHomes((await loadPolicy(invocation.policy, environment)).policy, invocation.homes);
  const state = stateDirForWriting(environment);
  const publicUrl = policy.admission.publicUrl ?? ownUrl(invocation);
  const log = openLog();
  const server = await openCacheServer({
    ...invocation,
    settings: { state, storeDir, policy, hostHomes, publicUrl, scans, dryRun, version },
    log,
  });
  print(`nar-scan: listens on ${printableText(server.address)}\n`);
  await interrupted();
  log.info('stops');
  await server.stop();
}

/** Where its users reach a server that is for this machine only. */
function ownUrl({ noAuth, listen }: ServeInvocation): string | null {
  if (!noAuth || !('host' in listen) || listen.port === 0) return null;
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return `http://${host}:${listen.port}`;
}

function withHomes(policy: Policy, homes: readonly string[]): Policy {
  const { facts } = policy;
  return { ...policy, facts: { ...facts, homes: [...homes, ...facts.homes] } };
}

/**
 * Resolves at the first signal that ends programs. Another one, half a second later or more, ends this at once; what then
 * lies in the spool is swept at the next start.
 */
async function interrupted(): Promise<void> {
  const controller = new AbortController();
  listenForInterruption(controller, () => undefined);
  await once(controller.signal, 'abort');
}
