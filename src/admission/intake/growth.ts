const LENGTH = 0;
const BYTES = 24;
const STATE = 2;
const CHANGES = 3;

const STATES = ['growing', 'complete', 'failed'] as const;
/** `failed`: nothing more will come. */
export type GrowthState = (typeof STATES)[number];

/** How far a file is written, told from the thread that writes it to one that reads it meanwhile. */
export class Growth {
  readonly shared: SharedArrayBuffer;
  readonly #length: BigInt64Array;
  readonly #words: Int32Array;
  readonly #listeners = new Set<() => void>();

  /** @param shared of a growth in another thread; a new one where it is left out */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.shared = shared;
    this.#length = new BigInt64Array(shared, 0, 1);
    this.#words = new Int32Array(shared);
  }

  /** Bytes that lie in the file. */
  get length(): number {
    return Number(Atomics.load(this.#length, LENGTH));
  }

  get state(): GrowthState {
    return STATES[Atomics.load(this.#words, STATE)] ?? 'failed';
  }

  /** More bytes lie in the file. */
  grew(length: number): void {
    Atomics.store(this.#length, LENGTH, BigInt(length));
    this.#changed();
  }

  /** From an end there is no way back. */
  end(state: Exclude<GrowthState, 'growing'>): void {
    Atomics.compareExchange(this.#words, STATE, 0, STATES.indexOf(state));
    this.#changed();
  }

  /** Blocks this thread until something has changed since `length` and `state` were read, or the time is over. */
  wait(seen: number, milliseconds: number): void {
    Atomics.wait(this.#words, CHANGES, seen, milliseconds);
  }

  /** Calls back after every change that is made by this object, until what it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** To be read before `length` and `state`, for {@link wait}. */
  get changes(): number {
    return Atomics.load(this.#words, CHANGES);
  }

  #changed(): void {
    Atomics.add(this.#words, CHANGES, 1);
    Atomics.notify(this.#words, CHANGES);
    for (const listener of this.#listeners) listener();
  }
}
