/*
 * A ring of byte slots in shared memory between the thread that scans and the one that hashes.
 * One writes, one reads, both block by Atomics.wait; neither allocates.
 */

const SLOTS = 8;
const SLOT_BYTES = 256 * 1024;
const DIGEST_BYTES = 32;

const WRITTEN = 0;
const READ = 1;
const DIGESTS = 2;
const LENGTHS = 3;
const HEADER_BYTES = 4 * (LENGTHS + SLOTS);
/**
 * Where the first slot begins. NARs count in words of 8 bytes and the window begins at one: V8 copies
 * to shared memory by words if both sides lie alike to them, else byte by byte, 5 times slower.
 */
const SLOTS_OFFSET = 4096;

/** Instead of a length: the NAR is complete, or it broke off, or the thread may end. */
export const FINISH = -1;
export const DISCARD = -2;
export const EXIT = -3;

/** How long one side waits for the other before it takes it for dead. */
const PATIENCE_MS = 60_000;

/** Shared memory of the right size for a {@link HashRing}. */
export function hashRingMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS_OFFSET + SLOTS * SLOT_BYTES);
}

export class HashRing {
  readonly #header: Int32Array;
  readonly #digest: Uint8Array;
  readonly #slots: readonly Uint8Array[];

  constructor(shared: SharedArrayBuffer) {
    this.#header = new Int32Array(shared, 0, LENGTHS + SLOTS);
    this.#digest = new Uint8Array(shared, HEADER_BYTES, DIGEST_BYTES);
    this.#slots = Array.from({ length: SLOTS }, (_, index) => {
      return new Uint8Array(shared, SLOTS_OFFSET + index * SLOT_BYTES, SLOT_BYTES);
    });
  }

  /** Writer: copies memory[start, end) into as many slots as it takes. */
  write(memory: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end;) {
      const length = Math.min(SLOT_BYTES, end - at);
      this.#slot(this.#free()).set(memory.subarray(at, at + length));
      this.#publish(length);
      at += length;
    }
  }

  /** Writer: one of FINISH, DISCARD, EXIT. */
  mark(mark: number): void {
    this.#free();
    this.#publish(mark);
  }

  /** Writer: the digest that answers the FINISH just written. */
  awaitDigest(): Uint8Array {
    this.#waitWhile(DIGESTS, 0);
    Atomics.store(this.#header, DIGESTS, 0);
    return this.#digest.slice();
  }

  /** Reader: the next slot, as bytes or as a mark; `taken` gives it back. */
  next(): Uint8Array | number {
    const read = Atomics.load(this.#header, READ);
    this.#waitWhile(WRITTEN, read);
    const length = this.#header[LENGTHS + (read % SLOTS)] as number;
    return length > 0 ? this.#slot(read).subarray(0, length) : length;
  }

  /** Reader: done with the slot that `next` gave. */
  taken(): void {
    Atomics.add(this.#header, READ, 1);
    Atomics.notify(this.#header, READ);
  }

  /** Reader: answers FINISH. */
  putDigest(digest: Uint8Array): void {
    this.#digest.set(digest);
    Atomics.store(this.#header, DIGESTS, 1);
    Atomics.notify(this.#header, DIGESTS);
  }

  #slot(count: number): Uint8Array {
    return this.#slots[count % SLOTS] as Uint8Array;
  }

  /** Waits until there is room, and returns the number of the slot to fill. */
  #free(): number {
    const written = Atomics.load(this.#header, WRITTEN);
    for (;;) {
      const read = Atomics.load(this.#header, READ);
      if (written - read < SLOTS) return written;
      this.#waitWhile(READ, read);
    }
  }

  #publish(length: number): void {
    const written = Atomics.load(this.#header, WRITTEN);
    this.#header[LENGTHS + (written % SLOTS)] = length;
    Atomics.store(this.#header, WRITTEN, written + 1);
    Atomics.notify(this.#header, WRITTEN);
  }

  #waitWhile(index: number, value: number): void {
    if (Atomics.load(this.#header, index) !== value) return;
    // the reader may have nothing to hash for long; only the writer has a reason to give up
    const patience = index === WRITTEN ? Infinity : PATIENCE_MS;
    if (Atomics.wait(this.#header, index, value, patience) === 'timed-out') {
      throw new Error('the hashing thread does not answer');
    }
  }
}
