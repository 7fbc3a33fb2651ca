import { LIMITS } from '../model/limits.ts';
import type { OnHit } from './matcher.ts';
import type { Kernel } from './module.ts';

/** Room for a needle's index beside an address in one number: order of numbers is order of hits. */
const NEEDLES = LIMITS.needles;

/**
 * Hits that the kernel found but that cannot be given yet, because one that belongs before them may
 * still come. The kernel finds in the order of fingerprints, a caller gets the order of addresses.
 */
export class PendingHits {
  private readonly count: Uint32Array;
  private readonly hits: Uint32Array;
  private readonly keys: number[] = [];
  private isSorted = true;

  constructor({ memory, layout }: Kernel) {
    this.count = new Uint32Array(memory.buffer, layout.HIT_COUNT, 1);
    this.hits = new Uint32Array(memory.buffer, layout.HITS, (layout.FINGERPRINT_HEADS - layout.HITS) / 4);
  }

  clear(): void {
    // to set the length of an array costs more than all the rest of a search that finds nothing
    if (this.keys.length > 0) this.keys.length = 0;
    this.isSorted = true;
    this.count[0] = 0;
  }

  /** Empties the kernel's buffer. */
  take(): void {
    const count = this.count[0] as number;
    if (count === 0) return;
    const { keys, hits } = this;
    let last = keys.at(-1) ?? 0;
    for (let i = 0; i < 2 * count; i += 2) {
      const key = (hits[i] as number) * NEEDLES + (hits[i + 1] as number);
      if (key < last) this.isSorted = false;
      keys.push(key);
      last = key;
    }
    this.count[0] = 0;
  }

  /** Gives the hits that begin before `known`, in order. */
  give(known: number, onHit: OnHit): void {
    const { keys } = this;
    if (keys.length === 0) return;
    if (!this.isSorted) keys.sort((a, b) => a - b);
    this.isSorted = true;
    let given = 0;
    for (; given < keys.length; given++) {
      const key = keys[given] as number;
      if (key >= known * NEEDLES) break;
      onHit(key % NEEDLES, Math.floor(key / NEEDLES));
    }
    // Few are left over: those that began less than the greatest fingerprint offset before the end.
    keys.splice(0, given);
  }
}
