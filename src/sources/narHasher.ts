import { createHash, type Hash } from 'node:crypto';
import { narHashText } from '../nix/narHash.ts';

/** Computes the NarHash of one NAR after another, of exactly the bytes that are scanned. */
export interface NarHasher {
  /** The next bytes of the NAR: memory[start, end). They may change as soon as this returns. */
  update(memory: Uint8Array, start: number, end: number): void;
  /** The NAR is complete: its hash as Nix prints it, `sha256:<base 32>`. The next NAR may begin. */
  finish(): string;
  /** The NAR broke off; the next may begin. */
  discard(): void;
}

/** Hashes in the thread that scans. */
export class InlineHasher implements NarHasher {
  #hash: Hash = createHash('sha256');

  update(memory: Uint8Array, start: number, end: number): void {
    this.#hash.update(memory.subarray(start, end));
  }

  finish(): string {
    const text = narHashText(this.#hash.digest());
    this.discard();
    return text;
  }

  discard(): void {
    this.#hash = createHash('sha256');
  }
}
