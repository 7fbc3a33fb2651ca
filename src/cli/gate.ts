import { availableParallelism } from 'node:os';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { localStoreOf, stateDirsOf } from '../nix/localStore.ts';
import type { Policy } from '../policy/policy.ts';
import type { Decisions } from '../quarantine/decision.ts';
import { loadDigest } from '../report/ids.ts';
import type { ReportOrigin } from '../report/reporter.ts';
import type { Closure } from '../guard/closure.ts';
import { askGate, type GateAnswer } from '../guard/gate.ts';
import { openMemory } from '../ledger/open.ts';
import type { RunConditions } from '../scan/memory.ts';
import { LocalWorker } from '../scan/localWorker.ts';
import { type Crew, needleContext, type Surrounded } from '../scan/scan.ts';
import { startWorkers } from '../scan/thread.ts';
import { resolveTarget, storeDirs } from '../sources/target.ts';
import { fingerprint } from '../report/fingerprint.ts';
import { underPolicy } from './conditions.ts';
import { STDIN } from './invocation.ts';
import type { Progress } from './progress.ts';

/** What a gate is opened for. */
export interface GateOptions {
  readonly surrounded: Surrounded;
  readonly policy: Policy;
  readonly environment: NodeJS.ProcessEnv;
  readonly decisions: Decisions;
  readonly now: Date;
  /** Whether the time is over, for what is scanned in this thread. */
  readonly isOver: () => boolean;
  readonly warn: (error: NarScanError) => void;
  /** The process ends soon after the gate was asked. */
  readonly endsProcess?: boolean;
  readonly progress?: (progress: Progress) => void;
}

/** The gate of one run: the store it stands before, and what it says. */
export interface OpenGate {
  readonly stateDirs: readonly string[];
  /** Where a logical store path lies. */
  readonly diskOf: (storePath: string) => string;
  readonly ask: (closure: Closure, signal: AbortSignal) => Promise<GateAnswer>;
  readonly origin: (version: string) => Promise<ReportOrigin>;
  /** Homes that are searched for. */
  readonly homes: () => Promise<readonly string[]>;
}

/** @throws NarScanError where the store or its surroundings cannot be found out */
export async function openGate(options: GateOptions): Promise<OpenGate> {
  const { surrounded, policy, environment, decisions, now, isOver, warn } = options;
  const { progress = () => undefined, endsProcess = false } = options;
  const { storeDir, store } = surrounded;
  const local = store === undefined ? null : localStoreOf(store);
  const { disk } = await storeDirs(storeDir, local);
  const request = underPolicy({ ...surrounded, limits: {} }, policy.facts);
  const context = needleContext(request);
  // whoever asks is told of a fault
  context.catch(() => undefined);
  const scan = {
    ...request,
    context,
    hashNars: true,
    exportStream: false,
    memory: (conditions: RunConditions) => openMemory(environment, conditions, warn, endsProcess),
  };
  return {
    stateDirs: stateDirsOf(storeDir, local, environment),
    diskOf: (storePath) => `${disk}${storePath.slice(storeDir.length)}`,
    ask: async (closure, signal) => {
      const judgement = { policy: policy.verdict, decisions, now, digest: await loadDigest() };
      const crew = crewFor(closure, isOver);
      return await askGate({ ...judgement, closure, scan, crew, progress }, signal);
    },
    homes: async () => (await context).homes,
    origin: async (version) => {
      const { kernel, rules } = await fingerprint(context, request.limits);
      return { tool: { name: 'nar-scan', version, kernel }, rules };
    },
  };
}

/**
 * The store paths that targets mean, each once.
 * @throws NarScanError TARGET_MISSING, TARGET_UNREADABLE, PATH_NOT_IN_STORE
 */
export async function storePathsOf({
  targets,
  storeDir,
  store,
}: Surrounded & { readonly targets: readonly string[] }): Promise<readonly string[]> {
  const stores = await storeDirs(storeDir, store === undefined ? null : localStoreOf(store));
  const roots = new Set<string>();
  for (const target of targets) {
    if (target === STDIN) {
      throw new NarScanError(
        'PATH_NOT_IN_STORE',
        'stdin is no store path: only what is in the store has a closure',
      );
    }
    const { storePath } = await resolveTarget(target, stores);
    if (storePath === null) throw new NarScanError('PATH_NOT_IN_STORE', `'${target}' is not in the store`);
    roots.add(storePath);
  }
  return [...roots];
}

/** A worker in this thread for what is scanned sooner than threads start, else one for each processor. */
function crewFor(closure: Closure, isOver: () => boolean): Crew {
  return (targets) => {
    const sizes = targets.map(({ storePath }) => closure.get(storePath ?? '')?.narSize ?? Infinity);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    return bytes <= LIMITS.threadlessBytes
      ? [new LocalWorker({ isOver, hasty: true })]
      : startWorkers(availableParallelism());
  };
}
