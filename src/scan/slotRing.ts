/*
 * A ring of byte slots in shared memory between two threads: one writes, one reads, both block by
 * Atomics.wait where they must, neither allocates.
 */

const WRITTEN = 0;
const READ = 1;
const LENGTHS = 2;
/**
 * Slots begin at multiples of this, and so do rings. NARs count in words of 8 bytes and the window begins at one: V8
 * copies to and from shared memory by words if both sides lie alike to them, else byte by byte, 5 times slower.
 */
const ALIGNMENT = 4096;

/** How long one side waits for the other before it takes it for dead. */
const PATIENCE_MS = 60_000;

export interface RingShape {
  readonly slots: number;
  /** A multiple of 4096. */
  readonly slotBytes: number;
}

/** Bytes of shared memory that a ring takes. */
export function ringBytes({ slots, slotBytes }: RingShape): number {
  return ALIGNMENT + slots * slotBytes;
}

export class SlotRing {
  readonly #count: number;
  readonly #header: Int32Array;
  readonly #slots: readonly Uint8Array[];

  /** @param at where it lies in the memory: a multiple of 4096 */
  constructor(shared: SharedArrayBuffer, at: number, { slots, slotBytes }: RingShape) {
    this.#count = slots;
    this.#header = new Int32Array(shared, at, LENGTHS + slots);
    this.#slots = Array.from({ length: slots }, (_, index) => {
      return new Uint8Array(shared, at + ALIGNMENT + index * slotBytes, slotBytes);
    });
  }

  /** Writer: whether a slot is free. */
  get hasRoom(): boolean {
    return this.#load(WRITTEN) - this.#load(READ) < this.#count;
  }

  /** Reader: whether something has been written. */
  get hasNext(): boolean {
    return this.#load(WRITTEN) !== this.#load(READ);
  }

  /** Writer: the slot to fill, as soon as one is free. @throws Error where none is for `patience` milliseconds */
  room(patience: number = PATIENCE_MS): Uint8Array {
    const written = this.#load(WRITTEN);
    for (;;) {
      const read = this.#load(READ);
      if (written - read < this.#count) return this.#slot(written);
      waitWhile(this.#header, READ, read, patience);
    }
  }

  /** Writer: the slot holds so many bytes; a negative number is a mark, and no bytes go with it. */
  publish(length: number): void {
    const written = this.#load(WRITTEN);
    this.#header[LENGTHS + (written % this.#count)] = length;
    Atomics.store(this.#header, WRITTEN, written + 1);
    Atomics.notify(this.#header, WRITTEN);
  }

  /** Reader: the next slot as bytes, or a mark, however long it takes. {@link taken} gives it back. */
  next(): Uint8Array | number {
    const read = this.#load(READ);
    waitWhile(this.#header, WRITTEN, read, Infinity);
    const length = this.#header[LENGTHS + (read % this.#count)] as number;
    return length < 0 ? length : this.#slot(read).subarray(0, length);
  }

  /** Reader: done with the slot that {@link next} gave. */
  taken(): void {
    Atomics.add(this.#header, READ, 1);
    Atomics.notify(this.#header, READ);
  }

  #load(index: number): number {
    return Atomics.load(this.#header, index);
  }

  #slot(count: number): Uint8Array {
    return this.#slots[count % this.#count] as Uint8Array;
  }
}

/** Waits until cells[index] is another than `value`. @throws Error where nothing has come for `patience` milliseconds */
export function waitWhile(
  cells: Int32Array,
  index: number,
  value: number,
  patience: number = PATIENCE_MS,
): void {
  if (Atomics.load(cells, index) !== value) return;
  if (Atomics.wait(cells, index, value, patience) === 'timed-out')
    throw new Error('a thread beside the search does not answer');
}
