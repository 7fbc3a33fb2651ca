import { narHashText } from '../nix/narHash.ts';
import type { NarHasher } from '../sources/narHasher.ts';
import { DISCARD, EXIT, FINISH, HashRing, hashRingMemory } from './hashRing.ts';
import { startThread } from './thread.ts';

/**
 * Hashes in a thread of its own, beside the search: SHA-256 costs as much as everything else that
 * is done to an uncompressed NAR. It gets copies of the very bytes that are searched.
 */
export class ThreadHasher implements NarHasher {
  readonly #ring: HashRing;

  constructor() {
    const shared = hashRingMemory();
    this.#ring = new HashRing(shared);
    startThread('./hashThread.ts', import.meta.url, shared).unref();
  }

  update(memory: Uint8Array, start: number, end: number): void {
    this.#ring.write(memory, start, end);
  }

  finish(): string {
    this.#ring.mark(FINISH);
    return narHashText(this.#ring.awaitDigest());
  }

  discard(): void {
    this.#ring.mark(DISCARD);
  }

  /** Ends the thread. */
  close(): void {
    this.#ring.mark(EXIT);
  }
}
