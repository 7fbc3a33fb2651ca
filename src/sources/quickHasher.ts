import { Sha256 } from '../kernel/sha256.ts';
import { narHashText } from '../nix/narHash.ts';
import type { NarHasher } from './narHasher.ts';

/** Hashes in the thread that scans, for what is hashed sooner than node:crypto is loaded. */
export class QuickHasher implements NarHasher {
  readonly #hash = new Sha256();

  update(memory: Uint8Array, start: number, end: number): void {
    this.#hash.update(memory.subarray(start, end));
  }

  finish(): string {
    return narHashText(this.#hash.digest());
  }

  discard(): void {
    this.#hash.discard();
  }
}
