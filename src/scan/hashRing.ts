import { ringBytes, SlotRing, waitWhile } from './slotRing.ts';

const SHAPE = { slots: 8, slotBytes: 256 * 1024 };
const DIGEST_BYTES = 32;
/** Behind the ring: whether there is a digest, and the digest. */
const ANSWER = ringBytes(SHAPE);
const ANSWER_BYTES = 4 + DIGEST_BYTES;

/** Marks: the NAR is complete, or it broke off, or the thread may end. */
export const FINISH = -1;
export const DISCARD = -2;
export const EXIT = -3;

/** Shared memory of the right size for a {@link HashRing}. */
export function hashRingMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(ANSWER + ANSWER_BYTES);
}

/** What the thread that scans and the one that hashes share: a ring, and the way back for a digest. */
export class HashRing {
  readonly ring: SlotRing;
  readonly #answered: Int32Array;
  readonly #digest: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.ring = new SlotRing(shared, 0, SHAPE);
    this.#answered = new Int32Array(shared, ANSWER, 1);
    this.#digest = new Uint8Array(shared, ANSWER + 4, DIGEST_BYTES);
  }

  /** Writer: copies memory[start, end) into as many slots as it takes. */
  write(memory: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end;) {
      const length = Math.min(SHAPE.slotBytes, end - at);
      this.ring.room().set(memory.subarray(at, at + length));
      this.ring.publish(length);
      at += length;
    }
  }

  /** Writer: one of FINISH, DISCARD, EXIT. */
  mark(mark: number): void {
    this.ring.room();
    this.ring.publish(mark);
  }

  /** Writer: the digest that answers the FINISH just written. */
  awaitDigest(): Uint8Array {
    waitWhile(this.#answered, 0, 0);
    Atomics.store(this.#answered, 0, 0);
    return this.#digest.slice();
  }

  /** Reader: answers FINISH. */
  putDigest(digest: Uint8Array): void {
    this.#digest.set(digest);
    Atomics.store(this.#answered, 0, 1);
    Atomics.notify(this.#answered, 0);
  }
}
