import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { once } from '../model/once.ts';
import type { Finding } from '../model/facts.ts';
import { compileEngine } from '../kernel/create.ts';
import type { NeedleContext } from '../needles/compile.ts';
import type { RuleEdits } from '../needles/ruleLists.ts';
import type { ReportError } from '../model/report.ts';
import type { PathInfo } from '../nix/database.ts';
import { localStoreOf, stateDirsOf, type LocalStore } from '../nix/localStore.ts';
import { accepted } from '../sources/host/found.ts';
import { surroundings, type Surroundings } from '../sources/host/surroundings.ts';
import { storeDirs } from '../sources/target.ts';
import { Budget, CONTAINER_LIMITS, type ContainerLimits } from '../inspect/containers/budget.ts';
import { spareOptimizer } from './thread.ts';
import { Pool, type PoolWorker } from './pool.ts';
import type { FactMemory, RunConditions } from './memory.ts';
import { withOrigins } from './originSink.ts';
import type { Origins } from './origins.ts';
import { Control, type QueuedWork } from './protocol.ts';
import { Run, type ScanSink } from './run.ts';
import { isRemembered, RunMemory } from './runMemory.ts';
import { SourceScans } from './sourceScans.ts';
import { resolveTargets, type Reach, type Resolved, validTargets } from './targets.ts';

/** What to scan, and what is known beforehand. */
export interface ScanRequest {
  /** Arguments as given; '-' is standard input. None where `reach` is `all`. */
  readonly targets: readonly string[];
  /** Valid store paths in the place of targets, by who has asked the Nix database for them. */
  readonly valid?: Iterable<PathInfo>;
  /** What is scanned besides them; nothing where nothing is said. */
  readonly reach?: Reach;
  /** The logical store dir. */
  readonly storeDir: string;
  /** A store URL as Nix's `--store` takes it, of a store on this machine; else the default one. */
  readonly store?: string;
  readonly homes: readonly string[];
  /** Whether homes of this machine count as well. */
  readonly hostHomes: boolean;
  readonly aliases: readonly string[];
  /** How the lists of the rules are changed. */
  readonly edits?: RuleEdits;
  /** Where other limits are wanted than the built-in ones. */
  readonly limits: Partial<ContainerLimits>;
  readonly hashNars: boolean;
  /** From how many bytes on contents of one NAR are searched by several workers, if another number than usual. */
  readonly sharedBytes?: number;
  /** Whether facts are told with the BLAKE3 of the entry's content. */
  readonly digests?: boolean;
  /** What {@link needleContext} says of this request, where that is known already. */
  readonly context?: NeedleContext | Promise<NeedleContext>;
  /** The process runs nothing but this scan, so that settings of the whole process may be changed. */
  readonly ownProcess?: boolean;
  /** How many threads may work at the same time; as many as scan where nothing is said. */
  readonly jobs?: number;
  /** Standard input is an export stream for sure; else its first bytes tell. */
  readonly exportStream: boolean;
  /** The file of the derivation that targets were built from; else the Nix database may name one. */
  readonly drv?: string;
  /** For which findings the sources of a build are worth a scan; for every foreign home where nothing is said. */
  readonly originMatters?: (finding: Finding) => boolean;
  /**
   * Opens what is remembered of earlier runs; called where there are valid paths of a Nix store among
   * the targets. These are hashed then, and closed it is when the scan is over.
   */
  readonly memory?: (conditions: RunConditions) => FactMemory | Promise<FactMemory>;
}

const PROGRESS_MS = 100;
/** How long a worker may take to end what it is at, after the run was ended. */
const GRACE_MS = 1500;

/**
 * The homes and the physical places of the store that a scan would search for, each with where it
 * was found, and what was left out and why.
 *
 * @throws NarScanError USAGE_BAD_VALUE, USAGE_BAD_HOME, USAGE_BAD_ALIAS, HOMES_UNREADABLE
 */
export async function findSurroundings(request: Surrounded): Promise<Surroundings> {
  const stores = await storeDirs(request.storeDir, storeOf(request));
  return await surroundings({ ...request, environment: process.env }, stores);
}

/**
 * Who scans: fresh threads of `startWorkers`, or a worker in this thread; or who decides on them when it
 * is known what is to be scanned.
 */
export type Crew = readonly PoolWorker[] | ((targets: readonly Resolved[]) => readonly PoolWorker[]);

/** What the surroundings of a scan depend on. */
export type Surrounded = Pick<
  ScanRequest,
  'storeDir' | 'store' | 'homes' | 'hostHomes' | 'aliases' | 'edits'
>;

/**
 * Everything the findings depend on besides the outputs themselves.
 * @throws NarScanError as {@link findSurroundings}
 */
export async function needleContext(request: Surrounded): Promise<NeedleContext> {
  const { homes, aliases } = await findSurroundings(request);
  return {
    homes: accepted(homes),
    aliases: accepted(aliases),
    storeDir: request.storeDir,
    hashParts: [],
    ...(request.edits === undefined ? {} : { edits: request.edits }),
  };
}

function storeOf({ store }: Surrounded): LocalStore | null {
  if (store === undefined) return null;
  const local = localStoreOf(store);
  if (local === null) throw new NarScanError('USAGE_BAD_VALUE', `'${store}' is no store on this machine`);
  return local;
}

/**
 * Scans all targets in parallel and tells their facts in the order in which they were given.
 */
export async function scanTargets(
  request: ScanRequest,
  workers: Crew,
  sink: ScanSink,
  signal: AbortSignal,
): Promise<void> {
  const shared = new SharedArrayBuffer(Control.bytes);
  const store = storeOf(request);
  const stores = await storeDirs(request.storeDir, store);
  const stateDirs = stateDirsOf(request.storeDir, store, process.env);
  const refused = (error: ReportError): void => sink.error(error);
  const [context, targets] = await Promise.all([
    request.context ?? needleContext(request),
    request.valid === undefined
      ? resolveTargets(request.targets, request.reach ?? 'named', stores, stateDirs, refused)
      : validTargets(request.valid, stores, refused),
  ]);
  const add = (queued: QueuedWork): void => pool.add(queued);
  const origins = async (): Promise<Origins> => {
    const { Origins } = await import('./origins.ts');
    const derivers = new Map(targets.map(({ storePath, info }) => [storePath ?? '', info?.deriver ?? '']));
    const { drv = null } = request;
    const drvPath = process.env['DRV_PATH'] ?? '';
    return new Origins({ stores, stateDirs, drv, drvPath, derivers, scan: (source) => sources.scan(source) });
  };
  // a derivation that is none ends the scan before it begins
  const named = request.drv === undefined ? null : await origins();
  named?.refuseStranger(targets);
  const limits = { ...CONTAINER_LIMITS, ...request.limits };
  const digests = request.digests === true;
  const memory = targets.some(isRemembered)
    ? await openMemory(request, { context, limits, digests }, sink)
    : null;
  const traced = withOrigins(sink, request.originMatters, async () => named ?? (await origins()));
  const run = new Run(targets, context, traced, add, memory);
  if (run.finished) return;
  await run.recall();
  const budgets = new SharedArrayBuffer((run.size + 1) * Budget.bytes);
  const sources = new SourceScans(run.size, { budgets, context, memory, add });
  const crew = typeof workers === 'function' ? workers(run.left) : workers;
  const engine = once(() => compileEngine());
  // a hash is of all bytes in their order
  const shares = crew.length > 1 && !request.hashNars;
  const data = {
    // asked for by whoever searches: where all is remembered nobody does
    get compiled() {
      return engine();
    },
    context,
    limits,
    budgets,
    spareOptimizer: request.ownProcess === true && limits.depth === 0,
    hashNars: request.hashNars,
    sharedBytes: shares ? (request.sharedBytes ?? LIMITS.narSharedBytes) : Infinity,
    digests,
    spareThreads: run.streams < (request.jobs ?? crew.length),
    threads: crew.filter(({ threadId }) => threadId > 0).length,
    exportStream: request.exportStream,
    control: shared,
  };
  const control = new Control(shared);
  const pool = new Pool(crew, data, {
    done: (message) => {
      run.take(message);
      sources.take(message);
    },
    pending: (target, change) => {
      run.pending(target, change);
      sources.pending(target, change);
    },
    lost: (lostTargets, reason) => {
      run.lost(lostTargets, reason);
      sources.lost(lostTargets);
    },
  });
  const timer = setInterval(() => run.progress(control), PROGRESS_MS);
  try {
    run.start(crew.length);
    // what is told may need sources to be scanned
    const told = run.done.then(() => run.delivered());
    await Promise.race([told, stopped(signal, control, run)]);
  } finally {
    clearInterval(timer);
    pool.close();
    sources.end();
    if (data.spareOptimizer) spareOptimizer(false);
  }
  try {
    run.endAll();
    await run.delivered();
  } finally {
    await memory?.close();
  }
}

/** A memory that cannot be opened for a fault of its own is none, and told. */
async function openMemory(
  { memory: open }: ScanRequest,
  conditions: RunConditions,
  sink: ScanSink,
): Promise<RunMemory | null> {
  if (open === undefined) return null;
  return new RunMemory(await open(conditions), (error) => sink.error(error));
}

/** Settles some time after the run was told to end, so that what was found can still arrive. */
function stopped(signal: AbortSignal, control: Control, run: Run): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      control.stop();
      void Promise.race([run.done, new Promise((late) => setTimeout(late, GRACE_MS).unref())]).then(() =>
        resolve(),
      );
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
