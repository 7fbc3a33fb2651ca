import type { ByteString } from '../model/bytes.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { CompiledEngine } from '../kernel/create.ts';
import type { ContainerLimits } from '../inspect/containers/budget.ts';
import type { NeedleContext } from '../needles/compile.ts';
import type { PartialFacts } from '../sources/factSink.ts';
import type { StreamOutput } from '../sources/narStream.ts';
import type { TreePiece } from '../sources/tree.ts';
import type { PackedFacts } from './packedFacts.ts';

/*
 * What the main thread and its workers say to each other. The main thread hands out assignments;
 * a worker splits its own when others have nothing to do.
 */

/** NARs from this size on are hashed beside their search, where a processor is free for it. */
export const LARGE_BYTES: number = 16 * 1024 * 1024;

/** A piece of work: part of a tree, large contents of a NAR, or one stream or one store path, which are one unit each. */
export type Work =
  | { readonly kind: 'tree'; readonly target: number; readonly piece: TreePiece }
  | { readonly kind: 'nar'; readonly target: number; readonly path: ByteString | null }
  /** @see scanTreeNar; `narSize`: its NAR's bytes as registered, else `Infinity`: how it is hashed goes by it. */
  | {
      readonly kind: 'path';
      readonly target: number;
      readonly path: ByteString;
      readonly narSize: number;
    };

/** What every worker is told when it starts. */
export interface WorkerData {
  readonly compiled: CompiledEngine;
  readonly context: NeedleContext;
  readonly limits: ContainerLimits;
  /** What the containers of each target have cost, see {@link Budget}; one after another. */
  readonly budgets: SharedArrayBuffer;
  /** No containers are opened in this run, and the process is the program's own: see `spareOptimizer`. */
  readonly spareOptimizer: boolean;
  readonly hashNars: boolean;
  /** From how many bytes on contents of NARs that are not hashed are left to whoever has nothing to do. */
  readonly sharedBytes: number;
  /** Whether facts are told with the BLAKE3 of the entry's content. */
  readonly digests: boolean;
  /** Whether there are processors to spare for hashing or decoding beside the search. */
  readonly spareThreads: boolean;
  /** How many workers have threads of their own. */
  readonly threads: number;
  /** Standard input is an export stream for sure. */
  readonly exportStream: boolean;
  /** Shared counters, see {@link Control}. */
  readonly control: SharedArrayBuffer;
}

/** Work, and what is searched for in it besides what all targets have in common. */
export interface QueuedWork {
  /** Hash parts of the outputs, searched for as they slide along. */
  readonly hashParts: readonly string[];
  /** Aliases that outputs before these have shown. */
  readonly aliases: readonly string[];
  readonly work: readonly Work[];
}

/** Work for one worker. All pieces share one needle context. */
export interface Assignment extends QueuedWork {
  readonly id: number;
}

export type FromWorker =
  | { readonly kind: 'donation'; readonly id: number; readonly work: readonly Work[] }
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly parts: readonly (readonly [target: number, facts: PackedFacts | PartialFacts])[];
      readonly streams: readonly (readonly [target: number, outputs: readonly StreamOutput[]])[];
      /** NarHashes of store paths whose facts are among the parts. */
      readonly hashed: readonly (readonly [target: number, narHash: string])[];
      readonly faults: readonly (readonly [target: number, code: ErrorCode, message: string])[];
      /** Targets of work that was left because the run was ended. */
      readonly unfinished: readonly number[];
    };

const HUNGRY = 0;
const STOPPED = 1;
const ARRIVED = 2;
const UNHEARD = 3;
const QUEUED = 4;
const FLAGS = 6;
const BYTES = FLAGS / 2;
const FILES = BYTES + 1;

/** Counters that all threads share: who waits for work, whether to stop, and how far everything is. */
export class Control {
  static readonly bytes = (FILES + 1) * 8;
  readonly #flags: Int32Array;
  readonly #counts: BigInt64Array;
  readonly #isOver: () => boolean;

  /** @param isOver whether to stop although nobody said so */
  constructor(shared: SharedArrayBuffer, isOver: () => boolean = () => false) {
    this.#isOver = isOver;
    this.#flags = new Int32Array(shared, 0, FLAGS);
    this.#counts = new BigInt64Array(shared);
  }

  /** How many workers wait for work. */
  get hungry(): number {
    return Atomics.load(this.#flags, HUNGRY);
  }

  set hungry(count: number) {
    Atomics.store(this.#flags, HUNGRY, count);
  }

  /** One more worker has nothing to do, which the pool is yet to hear. */
  starve(): void {
    Atomics.add(this.#flags, HUNGRY, 1);
    Atomics.add(this.#flags, UNHEARD, 1);
  }

  /** The pool has heard that a worker has nothing to do. */
  heard(): void {
    Atomics.sub(this.#flags, UNHEARD, 1);
  }

  /** How much work waits for a worker. */
  set queued(count: number) {
    Atomics.store(this.#flags, QUEUED, count);
  }

  /** Whether a worker waits for work that is there: as soon as the main thread listens, it has it. */
  get awaited(): boolean {
    return Atomics.load(this.#flags, UNHEARD) > 0 && Atomics.load(this.#flags, QUEUED) > 0;
  }

  /** One of the waiting workers is about to get work. */
  fed(): void {
    Atomics.sub(this.#flags, HUNGRY, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#flags, STOPPED) === 1 || this.#isOver();
  }

  stop(): void {
    Atomics.store(this.#flags, STOPPED, 1);
  }

  /** One more thread has loaded its modules; says how many have. */
  arrive(): number {
    return Atomics.add(this.#flags, ARRIVED, 1) + 1;
  }

  /** How many threads have loaded their modules. */
  get arrived(): number {
    return Atomics.load(this.#flags, ARRIVED);
  }

  passed(bytes: number, files: number): void {
    Atomics.add(this.#counts, BYTES, BigInt(bytes));
    if (files > 0) Atomics.add(this.#counts, FILES, BigInt(files));
  }

  get bytesPassed(): number {
    return Number(Atomics.load(this.#counts, BYTES));
  }

  get filesPassed(): number {
    return Number(Atomics.load(this.#counts, FILES));
  }
}
