import { Bucket, POSITIONS } from './bucket.ts';
import type { Places } from './matcher.ts';

/** The bytes by which a needle is found among those of its bucket. */
export interface BucketedFingerprint {
  readonly needle: number;
  readonly offset: number;
  readonly bucket: number;
}

/** Sets of fingerprints that are told apart. */
const BUCKETS = 8;
const ROUNDS = 3;
/** Bytes between the places of a needle that are looked at in haste; odd, for units of two and four bytes repeat. */
const HASTY_STEP = 17;

interface Place {
  readonly bucket: number;
  readonly offset: number;
}

/** One needle, however often it is in the set. */
interface Placed {
  readonly needle: Uint8Array;
  place: Place;
}

/**
 * Puts needles into eight buckets such that candidates are rare. Of a bucket it is known at each
 * position which nibbles may stand there, so that any bytes go together, but bytes that share a
 * nibble go together best. Greedy, needles with the least choice first; then those that share a
 * fingerprint are put anew, given the others.
 *
 * A set that hardly differs from the one before is planned by what differs: only a few needles
 * depend on what is scanned.
 */
export class BucketPlanner {
  readonly #mostOffset: number;
  #buckets: readonly Bucket[] = [];
  #placed = new Map<string, Placed>();

  /** @param mostOffset where a fingerprint may begin at most */
  constructor(mostOffset: number) {
    this.#mostOffset = mostOffset;
  }

  /** Begins with what was planned before, if nothing has been planned yet. */
  seed(places: Places): void {
    if (this.#placed.size > 0) return;
    this.#buckets = Array.from({ length: BUCKETS }, () => new Bucket());
    for (const [key, bucket, offset] of places) {
      const needle = Buffer.from(key, 'latin1');
      if (bucket >= BUCKETS || offset > Math.min(needle.length - POSITIONS, this.#mostOffset)) continue;
      this.#placed.set(key, { needle, place: { bucket, offset } });
      this.#change(needle, { bucket, offset }, 1);
    }
  }

  /** Where the needles of the last plan are. */
  get places(): Places {
    return [...this.#placed].map(([key, { place }]) => [key, place.bucket, place.offset] as const);
  }

  /**
   * @param chosen indices of the needles, of three bytes or more each
   * @param hasty weighs nothing, and looks at a few places of each needle: a fraction of the time, and twice the
   *   candidates, with many needles six times as many
   */
  plan(
    needles: readonly Uint8Array[],
    chosen: readonly number[],
    hasty = false,
  ): readonly BucketedFingerprint[] {
    const keys = chosen.map((index) => keyOf(needles[index] as Uint8Array));
    const before = this.#placed;
    const wanted = new Map(keys.map((key, i) => [key, needles[chosen[i] as number] as Uint8Array]));
    const added = [...wanted].filter(([key]) => !before.has(key));
    if (2 * added.length > wanted.size && !hasty) {
      this.#planAnew(wanted);
    } else {
      for (const [key, placed] of before) {
        if (wanted.has(key)) continue;
        before.delete(key);
        this.#change(placed.needle, placed.place, -1);
      }
      for (const [key, needle] of added) before.set(key, { needle, place: this.#best(needle, hasty) });
    }
    return chosen.map((needle, i) => ({ needle, ...(this.#placed.get(keys[i] as string) as Placed).place }));
  }

  #planAnew(wanted: ReadonlyMap<string, Uint8Array>): void {
    this.#buckets = Array.from({ length: BUCKETS }, () => new Bucket());
    const order = [...wanted].toSorted(([, a], [, b]) => a.length - b.length);
    this.#placed = new Map(order.map(([key, needle]) => [key, { needle, place: this.#best(needle) }]));
    for (let round = 1; round < ROUNDS; round++) {
      // while one needle stays with its bytes, others with the same have no reason to go
      const groups = Map.groupBy(this.#placed.values(), ({ needle, place: { bucket, offset } }) => {
        let key = bucket;
        for (let i = 0; i < POSITIONS; i++) key = key * 256 + (needle[offset + i] as number);
        return key;
      });
      for (const group of groups.values()) {
        for (const { needle, place } of group) this.#change(needle, place, -1);
        for (const placed of group) placed.place = this.#best(placed.needle);
      }
    }
  }

  #change(needle: Uint8Array, { bucket, offset }: Place, by: 1 | -1): void {
    this.#buckets[bucket]?.change(needle, offset, by);
  }

  /** Puts a fingerprint where it costs least. */
  #best(needle: Uint8Array, hasty = false): Place {
    const last = Math.min(needle.length - POSITIONS, this.#mostOffset);
    const best = hasty
      ? this.#nearest(needle, last)
      : (this.#free(needle, last) ?? this.#cheapest(needle, last));
    this.#change(needle, best, 1);
    return best;
  }

  #cheapest(needle: Uint8Array, last: number): Place {
    return this.#least(last, 1, (bucket, offset) => bucket.shareWith(needle, offset) - bucket.share);
  }

  /** A place that brings few nibbles. */
  #nearest(needle: Uint8Array, last: number): Place {
    return this.#least(last, HASTY_STEP, (bucket, offset) => bucket.nibblesWith(needle, offset));
  }

  #least(last: number, step: number, costOf: (bucket: Bucket, offset: number) => number): Place {
    let best: Place = { bucket: 0, offset: 0 };
    let least = Infinity;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const candidate = this.#buckets[bucket] as Bucket;
      for (let offset = 0; offset <= last; offset += step) {
        const more = costOf(candidate, offset);
        if (more < least) [best, least] = [{ bucket, offset }, more];
      }
    }
    return best;
  }

  /** The first place that costs nothing, where there is one: found without weighing any. */
  #free(needle: Uint8Array, last: number): Place | null {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const offset = (this.#buckets[bucket] as Bucket).offsetHeld(needle, last);
      if (offset >= 0) return { bucket, offset };
    }
    return null;
  }
}

function keyOf(needle: Uint8Array): string {
  return Buffer.from(needle.buffer, needle.byteOffset, needle.length).toString('latin1');
}
