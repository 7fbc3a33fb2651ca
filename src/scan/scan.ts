import type { Worker } from 'node:worker_threads';
import { NarScanError } from '../model/errors.ts';
import type { Gap, OutputFacts } from '../model/facts.ts';
import { reportError, type ReportError } from '../model/report.ts';
import { compileEngine } from '../kernel/create.ts';
import type { NeedleContext } from '../needles/compile.ts';
import type { RuleEdits } from '../needles/ruleLists.ts';
import { FactSink, type PartialFacts } from '../sources/factSink.ts';
import { resolveTarget, storeDirs, type Target } from '../sources/target.ts';
import { Budget, CONTAINER_LIMITS, type ContainerLimits } from '../inspect/containers/budget.ts';
import { gapAt } from '../inspect/local.ts';
import { homeAndReality, hostHomes } from './hostHomes.ts';
import { InOrder } from './inOrder.ts';
import { unpackFacts } from './packedFacts.ts';
import { spareOptimizer } from './thread.ts';
import { Pool } from './pool.ts';
import { Control, type FromWorker, type Work } from './protocol.ts';

/** What to scan, and what is known beforehand. */
export interface ScanRequest {
  /** Arguments as given; '-' is standard input. */
  readonly targets: readonly string[];
  /** The logical store dir. */
  readonly storeDir: string;
  readonly homes: readonly string[];
  /** Whether homes of this machine count as well. */
  readonly hostHomes: boolean;
  readonly aliases: readonly string[];
  /** How the lists of the rules are changed. */
  readonly edits?: RuleEdits;
  /** Where other limits are wanted than the built-in ones. */
  readonly limits: Partial<ContainerLimits>;
  readonly hashNars: boolean;
  /** The process runs nothing but this scan, so that settings of the whole process may be changed. */
  readonly ownProcess?: boolean;
  /** Standard input is an export stream for sure; else its first bytes tell. */
  readonly exportStream: boolean;
}

/** What a scan tells while it runs. */
export interface ScanSink {
  output(facts: OutputFacts): Promise<void>;
  error(error: ReportError): void;
  progress(progress: { bytes: number; files: number; outputsLeft: number; bytesTotal: number | null }): void;
}

const PROGRESS_MS = 100;
/** How long a worker may take to end what it is at, after the run was ended. */
const GRACE_MS = 1500;
const RESOLVING = 16;
/** Into how many shares a worker the trees are split; a last, large one is split by its worker. */
const SHARES = 8;

/**
 * Everything the findings depend on besides the outputs themselves.
 * @throws NarScanError HOMES_UNREADABLE
 */
export async function needleContext(request: ScanRequest): Promise<NeedleContext> {
  const { logical, physical } = await storeDirs(request.storeDir);
  return {
    homes: [...request.homes.flatMap(homeAndReality), ...(request.hostHomes ? hostHomes(process.env) : [])],
    aliases: physical === null ? request.aliases : [...request.aliases, physical],
    storeDir: logical,
    hashParts: [],
    ...(request.edits !== undefined && { edits: request.edits }),
  };
}

/**
 * Scans all targets in parallel and tells their facts in the order in which they were given.
 * @param workers fresh threads of `startWorkers`
 */
export async function scanTargets(
  request: ScanRequest,
  workers: readonly Worker[],
  sink: ScanSink,
  signal: AbortSignal,
): Promise<void> {
  const shared = new SharedArrayBuffer(Control.bytes);
  const [context, targets] = await Promise.all([needleContext(request), resolveAll(request, sink)]);
  const run = new Run(targets, sink);
  if (run.finished) return;
  const streams = targets.filter(({ kind }) => kind === 'nar').length;
  const limits = { ...CONTAINER_LIMITS, ...request.limits };
  const data = {
    compiled: compileEngine(),
    context,
    limits,
    budgets: new SharedArrayBuffer(targets.length * Budget.bytes),
    spareOptimizer: request.ownProcess === true && streams === 0 && limits.depth === 0,
    hashNars: request.hashNars,
    hashThreads: streams < workers.length,
    exportStream: request.exportStream,
    control: shared,
  };
  const control = new Control(shared);
  const pool = new Pool(workers, data, {
    done: (message) => run.take(message),
    pending: (target, change) => run.pending(target, change),
    lost: (lostTargets, reason) => run.lost(lostTargets, reason),
  });
  const timer = setInterval(() => run.progress(control), PROGRESS_MS);
  try {
    for (const queued of run.work(workers.length)) pool.add(queued);
    await Promise.race([run.done, stopped(signal, control, run)]);
  } finally {
    clearInterval(timer);
    pool.close();
    if (data.spareOptimizer) spareOptimizer(false);
  }
  run.endAll();
  await run.delivered();
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

async function resolveAll(request: ScanRequest, sink: ScanSink): Promise<readonly Resolved[]> {
  const { default: pLimit } = await import('p-limit');
  const limit = pLimit(RESOLVING);
  const stores = await storeDirs(request.storeDir);
  const resolved = await Promise.all(
    request.targets.map((argument) =>
      limit(async (): Promise<Resolved | ReportError> => {
        if (argument === '-') return { argument, kind: 'nar', path: null, storePath: null, hashPart: null };
        try {
          return { argument, ...(await resolveTarget(argument, stores)) };
        } catch (error) {
          return reportError(error, argument);
        }
      }),
    ),
  );
  // told in the order of the arguments, whichever was known first
  for (const result of resolved) if (!isResolved(result)) sink.error(result);
  return resolved.filter(isResolved);
}

type Resolved = Target & { readonly argument: string };

function isResolved(result: Resolved | ReportError): result is Resolved {
  return 'kind' in result;
}

/** What is known of one target while workers are at it. */
interface Open {
  readonly target: Resolved;
  readonly sink: FactSink;
  readonly streams: OutputFacts[];
  pending: number;
  started: number;
}

/** Gathers the parts of all targets, and tells each when its last part is there. */
class Run {
  readonly done: Promise<void>;
  readonly #targets: readonly Resolved[];
  readonly #open = new Map<number, Open>();
  readonly #sink: ScanSink;
  readonly #order: InOrder<readonly OutputFacts[]>;
  #resolveDone: () => void = () => undefined;

  constructor(targets: readonly Resolved[], sink: ScanSink) {
    this.#targets = targets;
    this.#sink = sink;
    this.done = new Promise((resolve) => (this.#resolveDone = resolve));
    this.#order = new InOrder(async (outputs) => {
      for (const facts of outputs) await sink.output(facts);
    });
    for (const [index, target] of targets.entries()) {
      this.#open.set(index, {
        target,
        sink: new FactSink(),
        streams: [],
        pending: 0,
        started: performance.now(),
      });
    }
  }

  get finished(): boolean {
    return this.#open.size === 0;
  }

  /** The work of all targets, streams first: each of them keeps one worker busy for long. */
  *work(workers: number): Generator<{ hashParts: readonly string[]; work: readonly Work[] }> {
    const trees = new Map<string, { hashParts: readonly string[]; work: Work[] }>();
    for (const [target, { kind, path, hashPart }] of this.#targets.entries()) {
      // never the others' as well: what is found in an output must not depend on what lies beside it
      const hashParts = hashPart === null ? [] : [hashPart];
      if (kind === 'nar' || path === null) {
        yield { hashParts, work: [{ kind: 'nar', target, path }] };
        continue;
      }
      const key = hashParts.join();
      const group = trees.get(key) ?? { hashParts, work: [] };
      group.work.push({ kind: 'tree', target, piece: { kind: 'root', path } });
      trees.set(key, group);
    }
    for (const { hashParts, work } of trees.values()) {
      const share = Math.ceil(work.length / (workers * SHARES));
      for (let at = 0; at < work.length; at += share) yield { hashParts, work: work.slice(at, at + share) };
    }
  }

  pending(target: number, change: 1 | -1): void {
    const open = this.#open.get(target);
    if (open === undefined) return;
    open.pending += change;
    if (open.pending === 0) this.#close(target, open);
  }

  /** Parts of a worker's results; told before `pending` says that its work is over. */
  take({ parts, streams, faults, unfinished }: FromWorker & { kind: 'done' }): void {
    for (const [target, facts] of parts) this.#open.get(target)?.sink.merge(unpackFacts(facts));
    for (const [target, outputs] of streams) {
      const open = this.#open.get(target);
      for (const { storePath, narHash, facts } of outputs) {
        open?.streams.push(this.#facts(open, storePath, narHash, facts));
      }
    }
    for (const [target, code, message] of faults) this.#fault(target, new NarScanError(code, message));
    for (const target of unfinished) this.#open.get(target)?.sink.addGap(unreached());
  }

  lost(targets: readonly number[], reason: string): void {
    for (const target of targets)
      this.#fault(target, new NarScanError('WORKER_DIED', `a worker died: ${reason}`));
  }

  progress(control: Control): void {
    const { bytesPassed, filesPassed } = control;
    this.#sink.progress({
      bytes: bytesPassed,
      files: filesPassed,
      outputsLeft: this.#open.size,
      bytesTotal: null,
    });
  }

  /** Tells what is there of every target that is still open, with a gap for the rest. */
  endAll(): void {
    for (const [target, open] of this.#open) {
      open.sink.addGap(unreached());
      this.#close(target, open);
    }
  }

  async delivered(): Promise<void> {
    await this.#order.settled();
  }

  #fault(target: number, error: NarScanError): void {
    const open = this.#open.get(target);
    if (open === undefined) return;
    open.sink.addGap(
      gapAt('', { reason: 'internal', offset: null, detail: `${error.code}: ${error.message}` }),
    );
    this.#sink.error(reportError(error, open.target.argument));
  }

  #close(target: number, open: Open): void {
    this.#open.delete(target);
    const { storePath } = open.target;
    const own = open.sink.sorted();
    const outputs = [...open.streams];
    if (open.target.kind === 'tree' || own.gaps.length > 0) {
      outputs.push(this.#facts(open, storePath, null, own));
    } else if (outputs.length === 0) {
      const { argument } = open.target;
      const error = new NarScanError('NO_OUTPUTS', `'${argument}' is an export stream of nothing`);
      this.#sink.error(reportError(error, argument));
    }
    this.#order.put(target, outputs);
    if (this.#open.size === 0) this.#resolveDone();
  }

  #facts(open: Open, storePath: string | null, narHash: string | null, part: PartialFacts): OutputFacts {
    const { findings, gaps, stats } = part;
    const milliseconds = Math.round(performance.now() - open.started);
    return {
      target: open.target.argument,
      storePath,
      narHash,
      findings,
      gaps,
      stats: { ...stats, milliseconds },
    };
  }
}

function unreached(): Gap {
  const detail = 'the scan was ended before everything was inspected';
  return gapAt('', { reason: 'limit-time', offset: null, detail });
}
