import type { OnHit } from './matcher.ts';
import type { Kernel } from './module.ts';

/** Room for a needle's index beside an address in one number: order of numbers is order of hits. */
const NEEDLES = 1024;

/**
 * Hits that the kernel found but that cannot be given yet, because one that belongs before them may
 * still come. The kernel finds in the order of fingerprints, a caller gets the order of addresses.
 */
export class PendingHits {
  private readonly count: Uint32Array;
  private readonly hits: Uint32Array;
  private keys: number[] = [];

  constructor({ memory, layout }: Kernel) {
    this.count = new Uint32Array(memory.buffer, layout.HIT_COUNT, 1);
    this.hits = new Uint32Array(memory.buffer, layout.HITS, (layout.FINGERPRINT_HEADS - layout.HITS) / 4);
  }

  clear(): void {
    this.keys = [];
    this.count[0] = 0;
  }

  /** Empties the kernel's buffer. */
  take(): void {
    const count = this.count[0] as number;
    if (count === 0) return;
    for (let i = 0; i < 2 * count; i += 2) {
      this.keys.push((this.hits[i] as number) * NEEDLES + (this.hits[i + 1] as number));
    }
    this.count[0] = 0;
    if (this.keys.length > 1) this.keys = Array.from(Float64Array.from(this.keys).sort());
  }

  /** Gives the hits that begin before `known`, in order. */
  give(known: number, onHit: OnHit): void {
    if (this.keys.length === 0) return;
    let given = 0;
    for (; given < this.keys.length; given++) {
      const key = this.keys[given] as number;
      if (key >= known * NEEDLES) break;
      onHit(key % NEEDLES, Math.floor(key / NEEDLES));
    }
    this.keys.splice(0, given);
  }
}
