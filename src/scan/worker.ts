import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { Budget } from '../inspect/containers/budget.ts';
import type { ContentDigest } from '../inspect/contentDigest.ts';
import { createMatcher } from '../kernel/create.ts';
import { NarScanError, type ErrorCode } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { FactSink, type PartialFacts } from '../sources/factSink.ts';
import { FileContents } from '../sources/fileContents.ts';
import { prepareInspection, type Inspection } from '../sources/inspection.ts';
import type { NarHasher } from '../sources/narHasher.ts';
import type { StreamOutput } from '../sources/narStream.ts';
import type { NarContent, Sharing } from '../sources/sharedNar.ts';
import { DiskSpools } from '../sources/spool.ts';
import type { NarTargetOptions } from '../sources/streamTarget.ts';
import { TreeScanner } from '../sources/tree.ts';
import type { Turns } from '../inspect/turns.ts';
import { Window, windowsBytes } from '../inspect/window.ts';
import { blake3Digest } from './blake3Digest.ts';
import { packFacts } from './packedFacts.ts';
import { spareOptimizer } from './thread.ts';
import type { ThreadHasher as Thread } from './threadHasher.ts';
import {
  Control,
  LARGE_BYTES,
  type Assignment,
  type FromWorker,
  type QueuedWork,
  type Work,
  type WorkerData,
} from './protocol.ts';

/** Below this many pieces a worker keeps what it has. */
const DONATE_FROM = 2;

/** What a worker in the main thread knows besides. */
export interface LocalScan {
  /** Whether the run is to end for a reason that {@link Control} does not know. */
  readonly isOver?: () => boolean;
  /** Little is to be searched: what is prepared for long searches is prepared in haste. */
  readonly hasty?: boolean;
  /** Where the thread has other things to do meanwhile; is told how to see whether another one waits for that. */
  readonly turns?: (awaited: () => boolean) => Turns;
}

/** What a worker is at, and what it could give away of it. */
interface InHand {
  readonly id: number;
  readonly stack: Work[];
}

/** One worker: takes assignments one after another, and gives work away while others have none. */
export class ScanWorker {
  readonly #data: WorkerData;
  readonly #control: Control;
  readonly #window: Window;
  readonly #tree: TreeScanner;
  readonly #spools = new DiskSpools();
  #quick: NarHasher | null = null;
  readonly #matcher: ReturnType<typeof createMatcher>;
  readonly #send: (message: FromWorker) => void;
  readonly #digest: ContentDigest | null;
  /** Bytes of a stream have passed; says whether to stop. */
  readonly #passed = (bytes: number): boolean => {
    this.#control.passed(bytes, 0);
    return this.#ended();
  };
  /** Asked again and again while something long is done. */
  readonly #ended = (): boolean => {
    this.#share(1);
    return this.#control.stopped;
  };
  #inspection: Inspection | null = null;
  #searched = '';
  #kept = false;
  /** Bytes that may yet be hashed before node:crypto is worth its loading. */
  #quicklyHashed = 512 * 1024;
  readonly #local: LocalScan | null;
  readonly #turns: Turns | null;
  #inHand: InHand = { id: -1, stack: [] };

  /** @param local where it works in the main thread */
  constructor(data: WorkerData, send: (message: FromWorker) => void, local?: LocalScan) {
    this.#data = data;
    this.#send = send;
    this.#digest = data.digests ? blake3Digest() : null;
    this.#local = local ?? null;
    this.#control = new Control(data.control, local?.isOver);
    this.#turns = local?.turns?.(() => this.#control.awaited) ?? null;
    this.#matcher = createMatcher({ size: windowsBytes(data.limits.depth), compiled: data.compiled });
    this.#window = new Window(this.#matcher);
    const pace = { turns: this.#turns, between: () => this.#share(1) };
    const files = new FileContents(this.#window, pace);
    const wanted = (): boolean => this.#control.hungry > 0 || this.#turns?.due === true;
    this.#tree = new TreeScanner(files, wanted, this.#passed);
  }

  async run({ id, work, ...searched }: Assignment): Promise<void> {
    const sinks = new Map<number, FactSink>();
    const streams: [number, readonly StreamOutput[]][] = [];
    const hashed: [number, string][] = [];
    const faults: [number, ErrorCode, string][] = [];
    const stack = [...work];
    this.#inHand = { id, stack };
    while (!this.#control.stopped) {
      const next = stack.pop();
      if (next === undefined) break;
      try {
        // prepared anew only where the hash parts or aliases are others than before
        const inspection = this.#inspectionFor(searched);
        if (next.kind === 'nar') await this.#stream(next, inspection, sinks, streams);
        else if (next.kind === 'tree') await this.#piece(next, inspection, sinks, stack);
        else if (!(await this.#path(next, inspection, sinks, hashed))) stack.push(treeOf(next));
      } catch (error) {
        const code = error instanceof NarScanError ? error.code : 'INTERNAL';
        faults.push([next.target, code, faultText(error)]);
      }
      this.#share(DONATE_FROM);
      if (this.#turns?.due === true) await this.#turns.pass();
    }
    this.#inHand = { id, stack: [] };
    // what never leaves this thread needs no packing
    const pack = this.#local === null ? packFacts : ({ facts }: FactSink): PartialFacts => facts;
    const parts = [...sinks].map(([target, sink]) => [target, pack(sink)] as const);
    const unfinished = [...new Set(stack.map(({ target }) => target))];
    // so that others share what they have before the main thread has heard of it
    this.#control.starve();
    this.#send({ kind: 'done', id, parts, streams, hashed, faults, unfinished });
    this.#keepCompiledCode();
  }

  async #piece(
    work: Work & { kind: 'tree' },
    inspection: Inspection,
    sinks: Map<number, FactSink>,
    stack: Work[],
  ): Promise<void> {
    const { target } = work;
    const sink = sinkOf(target, sinks);
    const { bytes, files } = sink.stats;
    this.#tree.scan(work.piece, inspection, sink, (piece) => stack.push({ kind: 'tree', target, piece }));
    if (this.#tree.waits) await this.#tree.open(this.#budget(target));
    const { stats } = sink;
    // of contents they were told as they passed
    if (work.piece.kind !== 'content') this.#control.passed(stats.bytes - bytes, stats.files - files);
  }

  /** Whether the store path could be scanned as a whole. */
  async #path(
    { target, path, narSize }: Work & { kind: 'path' },
    inspection: Inspection,
    sinks: Map<number, FactSink>,
    hashed: [number, string][],
  ): Promise<boolean> {
    const { scanTreeNar } = await import('../sources/treeTarget.ts');
    // where it cannot, all is to be read anew
    const budget = this.#budget(target).fresh();
    const output = await this.#hashing(narSize, async (hasher) => {
      const options = { hasher: hasher(false), passed: this.#passed, budget };
      return await scanTreeNar(path, this.#window, inspection, options);
    });
    if (output === null) return false;
    const { narHash, facts } = output;
    // those that were not kept have their gap
    sinkOf(target, sinks).merge({ ...facts, lost: 0 });
    if (narHash !== null) hashed.push([target, narHash]);
    this.#control.passed(0, facts.stats.files);
    return true;
  }

  #budget(target: number): Budget {
    const { limits, budgets } = this.#data;
    return new Budget(limits, budgets, target, this.#ended, this.#turns);
  }

  async #stream(
    work: Work & { kind: 'nar' },
    inspection: Inspection,
    sinks: Map<number, FactSink>,
    streams: [number, readonly StreamOutput[]][],
  ): Promise<void> {
    const { target } = work;
    const { stack } = this.#inHand;
    let shares = false;
    const take = (content: NarContent): boolean => {
      if (stack.length >= LIMITS.narSharedContents) return false;
      stack.push({ kind: 'tree', target, piece: { kind: 'content', ...content } });
      return (shares = true);
    };
    const from = this.#data.sharedBytes;
    const outputs = await this.#outputs(work, inspection, from === Infinity ? null : { from, take });
    stack.sort(smallestFirst);
    if (!shares) streams.push([target, outputs]);
    // one part among those that others find; what was not kept has its gap
    else for (const { facts } of outputs) sinkOf(target, sinks).merge({ ...facts, lost: 0 });
  }

  async #outputs(
    work: Work & { kind: 'nar' },
    inspection: Inspection,
    sharing: Sharing | null,
  ): Promise<readonly StreamOutput[]> {
    const { scanNarFile, scanStdin } = await import('../sources/narTarget.ts');
    const scan = async (hasher: NarTargetOptions['hasher']): Promise<readonly StreamOutput[]> => {
      const options = {
        hasher,
        exportStream: work.path === null && this.#data.exportStream,
        passed: this.#passed,
        budget: this.#budget(work.target),
      };
      if (work.path === null) return await scanStdin(this.#window, inspection, options);
      return await scanNarFile(work.path, this.#window, inspection, options, sharing);
    };
    return this.#data.hashNars ? await this.#hashing(Infinity, scan) : await scan(() => null);
  }

  /** @param narSize bytes that are to be hashed, as far as that is known; a lie costs time only */
  async #hashing<T>(
    narSize: number,
    act: (hasher: (decoding: boolean) => NarHasher) => Promise<T>,
  ): Promise<T> {
    if (narSize <= this.#quicklyHashed && this.#data.compiled.engine !== 'scalar') {
      this.#quicklyHashed -= narSize;
      const { QuickHasher } = await import('../sources/quickHasher.ts');
      return await act(() => (this.#quick ??= new QuickHasher()));
    }
    const [{ InlineHasher }, { ThreadHasher }] = await Promise.all([
      import('../sources/narHasher.ts'),
      import('./threadHasher.ts'),
    ]);
    // in a thread of its own, where there is a processor for it and nothing is decoded
    const beside = narSize >= LARGE_BYTES && this.#data.spareThreads;
    let thread: Thread | null = null;
    try {
      return await act((decoding) => {
        if (decoding || !beside) return new InlineHasher();
        return (thread = new ThreadHasher());
      });
    } finally {
      (thread as Thread | null)?.close();
    }
  }

  /**
   * Writes what was compiled so far to the cache, once: the main thread ends the process without
   * waiting.
   */
  #keepCompiledCode(): void {
    if (this.#kept || getCompileCacheDir() === undefined) return;
    this.#kept = true;
    if (this.#data.spareOptimizer) spareOptimizer(false);
    flushCompileCache();
    if (this.#data.spareOptimizer) spareOptimizer(true);
  }

  /** Gives away the larger half of `least` pieces or more, while others have none: of a tree the older one, nearest the root. */
  #share(least: number): void {
    const { id, stack } = this.#inHand;
    const [first] = stack;
    if (first === undefined || stack.length < least || this.#control.hungry <= 0) return;
    const count = Math.ceil(stack.length / 2);
    let from = 0;
    if (bytesOf(first) > 0) {
      // many a thread takes longer to load than contents to search
      if (this.#control.hungry <= this.#data.threads - this.#control.arrived) return;
      stack.sort(smallestFirst);
      from = stack.length - count;
    }
    this.#send({ kind: 'donation', id, work: stack.splice(from, count) });
    this.#control.fed();
  }

  #inspectionFor({ hashParts, aliases }: Omit<QueuedWork, 'work'>): Inspection {
    const key = `${hashParts.join()}\n${aliases.join('\n')}`;
    if (this.#inspection === null || key !== this.#searched) {
      const { context } = this.#data;
      this.#inspection = prepareInspection(
        this.#matcher,
        { ...context, hashParts, aliases: [...context.aliases, ...aliases] },
        {
          maxDepth: this.#data.limits.depth,
          spools: this.#spools,
          digest: this.#digest,
          hasty: this.#local?.hasty === true,
        },
      );
      this.#searched = key;
    }
    return this.#inspection;
  }
}

function sinkOf(target: number, sinks: Map<number, FactSink>): FactSink {
  let sink = sinks.get(target);
  if (sink === undefined) sinks.set(target, (sink = new FactSink()));
  return sink;
}

/** Bytes of the contents of one file of a NAR; 0 of other work. */
function bytesOf(work: Work): number {
  return work.kind === 'tree' && work.piece.kind === 'content' ? work.piece.size : 0;
}

function smallestFirst(a: Work, b: Work): number {
  return bytesOf(a) - bytesOf(b);
}

function treeOf({ target, path }: Work & { kind: 'path' }): Work {
  return { kind: 'tree', target, piece: { kind: 'root', path } };
}

function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return process.env['NAR_SCAN_DEBUG'] === '1' ? (error.stack ?? error.message) : error.message;
}
