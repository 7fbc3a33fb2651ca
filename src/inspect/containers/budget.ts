import { clock } from '../../model/clock.ts';
import type { GapReason } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Turns } from '../turns.ts';

/** What containers may cost. */
export interface ContainerLimits {
  /** Containers inside containers that are opened; 0: none. */
  readonly depth: number;
  /** Decoded bytes of one output in all. */
  readonly expandedBytes: number;
  /** Decoded bytes for each packed byte of one stream, beyond {@link LIMITS.ratioFreeBytes}. */
  readonly ratio: number;
  /** Members of all containers of one output. */
  readonly entries: number;
  /** Seconds that the containers of one output may take. */
  readonly seconds: number;
}

export const CONTAINER_LIMITS: ContainerLimits = Object.freeze({
  depth: LIMITS.containerDepth,
  expandedBytes: LIMITS.expandedBytes,
  ratio: LIMITS.expansionRatio,
  entries: LIMITS.containerEntries,
  seconds: LIMITS.outputSeconds,
});

/** Thrown where a limit is reached: what is being read ends there, with this as its gap. */
export class LimitReached extends Error {
  readonly reason: GapReason;

  constructor(reason: GapReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

const EXPANDED = 0;
const ENTRIES = 1;
const STARTED = 2;

/** What the containers of one output have cost so far, shared by all threads that read it. */
export class Budget {
  /** Bytes of the shared memory of one budget. */
  static readonly bytes = 24;
  readonly limits: ContainerLimits;
  /** Of the thread that reads, where it has other things to do. */
  readonly turns: Turns | null;
  readonly #spent: BigInt64Array;
  readonly #ended: () => boolean;
  #expandedHere = 0;

  /**
   * @param memory zeroed; shared between threads or not
   * @param ended whether the run was ended
   */
  constructor(
    limits: ContainerLimits,
    memory: ArrayBufferLike = new ArrayBuffer(Budget.bytes),
    index = 0,
    ended: () => boolean = () => false,
    turns: Turns | null = null,
  ) {
    this.limits = limits;
    this.turns = turns;
    this.#spent = new BigInt64Array(memory, index * Budget.bytes, 3);
    this.#ended = ended;
  }

  /** Nothing is spent any more of the budget at `index`: nobody reads under it now. */
  static clear(memory: SharedArrayBuffer, index: number): void {
    new BigInt64Array(memory, index * Budget.bytes, 3).fill(0n);
  }

  /** The same limits for another output, with nothing spent. */
  fresh(): Budget {
    return new Budget(this.limits, undefined, 0, this.#ended, this.turns);
  }

  /** Decoded bytes that went through this object, by this thread. */
  get expandedHere(): number {
    return this.#expandedHere;
  }

  /**
   * `count` more bytes were decoded.
   * @throws LimitReached
   */
  expanded(count: number): void {
    this.#expandedHere += count;
    const before = Atomics.add(this.#spent, EXPANDED, BigInt(count));
    if (Number(before) + count > this.limits.expandedBytes) this.#reached(EXPANDED);
    this.check();
  }

  /**
   * One more member was met.
   * @throws LimitReached
   */
  member(): void {
    const before = Atomics.add(this.#spent, ENTRIES, 1n);
    if (Number(before) >= this.limits.entries) this.#reached(ENTRIES);
    if ((Number(before) & 0xff) === 0) this.check();
  }

  /**
   * Whether anything may still be read.
   * @throws LimitReached
   */
  check(): void {
    if (this.#ended()) throw new LimitReached('limit-time', 'the scan was ended before all was read');
    if (Number(Atomics.load(this.#spent, EXPANDED)) > this.limits.expandedBytes) this.#reached(EXPANDED);
    if (Number(Atomics.load(this.#spent, ENTRIES)) > this.limits.entries) this.#reached(ENTRIES);
    const now = BigInt(Math.ceil(clock()) + 1);
    const first = Atomics.compareExchange(this.#spent, STARTED, 0n, now);
    if (first !== 0n && Number(now - first) > this.limits.seconds * 1000) this.#reached(STARTED);
  }

  #reached(which: number): never {
    const { expandedBytes, entries, seconds } = this.limits;
    if (which === EXPANDED) {
      throw new LimitReached('limit-size', `containers of the output hold more than ${expandedBytes} bytes`);
    }
    if (which === ENTRIES) {
      throw new LimitReached('limit-entries', `containers of the output hold more than ${entries} members`);
    }
    throw new LimitReached('limit-time', `containers of the output took longer than ${seconds} s`);
  }
}

/**
 * Holds one decoded stream to its ratio.
 * @param packed how many packed bytes have been used so far
 * @throws LimitReached
 */
export function checkRatio(limits: ContainerLimits, decoded: number, packed: number): void {
  if (decoded <= LIMITS.ratioFreeBytes || decoded <= limits.ratio * packed) return;
  throw new LimitReached('limit-ratio', `expanded more than ${limits.ratio} times`);
}
