import { Bucket, isAscii, POSITIONS } from './bucket.ts';
import type { Places } from './matcher.ts';

/** The bytes by which a needle is found among those of its bucket. */
export interface BucketedFingerprint {
  readonly needle: number;
  readonly offset: number;
  readonly bucket: number;
}

/** Sets of fingerprints that are told apart. */
const BUCKETS = 8;
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

/** Needles that are put anew at once, where they are taken at random. */
const MOST_AT_RANDOM = 30;
/** By which part of all a round may be worse at first. */
const WARMTH = 0.02;

/**
 * Puts needles into eight buckets such that candidates are rare. Of a bucket it is known at each
 * position which nibbles may stand there, so that any bytes go together, but bytes that share a
 * nibble go together best. Greedy, needles with the least choice first; what is searched for in every
 * scan is then put anew again and again, some of it at a time, when the program is built ({@link improve}).
 *
 * What was in the set before keeps its place: only a few needles depend on what is scanned, and those of
 * many homes are put beside what was placed better than they could be together in the time there is.
 */
export class BucketPlanner {
  readonly #mostOffset: number;
  readonly #any: boolean;
  readonly #buckets: readonly Bucket[];
  readonly #placed = new Map<string, Placed>();

  /**
   * @param mostOffset where a fingerprint may begin at most
   * @param any whether fingerprints are of any bytes, or only such that {@link isAscii} says
   */
  constructor(mostOffset: number, any: boolean) {
    this.#mostOffset = mostOffset;
    this.#any = any;
    this.#buckets = Array.from({ length: BUCKETS }, () => new Bucket(any));
  }

  /** Whether there is a place for a needle, of three bytes or more. */
  takes(needle: Uint8Array): boolean {
    const last = this.#lastOffset(needle);
    for (let offset = 0; offset <= last; offset++) if (this.#fits(needle, offset)) return true;
    return false;
  }

  /** Begins with what was planned before, if nothing has been planned yet. */
  seed(places: Places): void {
    if (this.#placed.size > 0) return;
    for (const [key, bucket, offset] of places) {
      const needle = Buffer.from(key, 'latin1');
      if (bucket >= BUCKETS || offset > this.#lastOffset(needle) || !this.#fits(needle, offset)) continue;
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
   * @param hasty weighs nothing, and looks at a few places of each needle: a fraction of the time, and more candidates
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
    for (const [key, placed] of before) {
      if (wanted.has(key)) continue;
      before.delete(key);
      this.#change(placed.needle, placed.place, -1);
    }
    for (const [key, needle] of added.toSorted(([, a], [, b]) => a.length - b.length)) {
      before.set(key, { needle, place: this.#best(needle, hasty) });
    }
    return chosen.map((needle, i) => ({ needle, ...(this.#placed.get(keys[i] as string) as Placed).place }));
  }

  /**
   * Puts needles of the last plan anew, some of them at a time, and leaves them there where candidates are rarer
   * then, or at first not much less rare (simulated annealing): the same needles by the same rounds and seed always
   * come to the same places.
   */
  improve(rounds: number, seed: number): void {
    const random = randomNumbers(seed);
    let best = this.places;
    let least = this.#share();
    let share = least;
    for (let round = 0; round < rounds; round++) {
      const moved = this.#some(random);
      const places = moved.map(({ place }) => place);
      for (const placed of moved) this.#change(placed.needle, placed.place, -1);
      for (const placed of moved) placed.place = this.#best(placed.needle, false);
      const now = this.#share();
      const more = WARMTH * share * (1 - round / rounds) * -Math.log(random());
      if (now <= share + more) {
        share = now;
        if (now < least) [best, least] = [this.places, now];
        continue;
      }
      this.#putBack(moved, (_, i) => places[i] as Place);
    }
    const bestOf = new Map(best.map(([key, bucket, offset]) => [key, { bucket, offset }]));
    this.#putBack([...this.#placed.values()], ({ needle }) => bestOf.get(keyOf(needle)) as Place);
  }

  #putBack(moved: readonly Placed[], placeOf: (placed: Placed, index: number) => Place): void {
    for (const [i, placed] of moved.entries()) {
      this.#change(placed.needle, placed.place, -1);
      placed.place = placeOf(placed, i);
      this.#change(placed.needle, placed.place, 1);
    }
  }

  /** Needles that go together or any, in any order. */
  #some(random: () => number): readonly Placed[] {
    const all = [...this.#placed.values()];
    const below = (number: number): number => Math.floor(random() * number);
    const one = all[below(all.length)] as Placed;
    const position = below(POSITIONS);
    const byteOf = ({ needle, place }: Placed): number => needle[place.offset + position] as number;
    const isBeside = ({ place }: Placed): boolean => place.bucket === one.place.bucket;
    const way = below(4);
    const atRandom = below(MOST_AT_RANDOM) / all.length;
    const chosen = all.filter((placed) => {
      if (way === 0) return random() < atRandom;
      if (way === 1) return isBeside(placed) && random() < 0.7;
      const isLike = isBeside(placed) && ((byteOf(placed) ^ byteOf(one)) & 15) === 0;
      return isLike || (way === 2 && random() < atRandom / 3);
    });
    for (let i = chosen.length - 1; i > 0; i--) {
      const j = below(i + 1);
      [chosen[i], chosen[j]] = [chosen[j] as Placed, chosen[i] as Placed];
    }
    return chosen;
  }

  /** The share of addresses at which candidates are expected. */
  #share(): number {
    return this.#buckets.reduce((sum, { share }) => sum + share, 0);
  }

  #lastOffset(needle: Uint8Array): number {
    return Math.min(needle.length - POSITIONS, this.#mostOffset);
  }

  #fits(needle: Uint8Array, offset: number): boolean {
    return this.#any || isAscii(needle, offset);
  }

  #change(needle: Uint8Array, { bucket, offset }: Place, by: 1 | -1): void {
    this.#buckets[bucket]?.change(needle, offset, by);
  }

  /** Puts a fingerprint where it costs least. */
  #best(needle: Uint8Array, hasty: boolean): Place {
    const best = hasty ? this.#nearest(needle) : (this.#free(needle) ?? this.#cheapest(needle));
    this.#change(needle, best, 1);
    return best;
  }

  #cheapest(needle: Uint8Array): Place {
    return this.#least(needle, 1, (bucket, offset) => bucket.shareWith(needle, offset) - bucket.share);
  }

  /** A place that brings few nibbles. */
  #nearest(needle: Uint8Array): Place {
    return this.#least(needle, HASTY_STEP, (bucket, offset) => bucket.nibblesWith(needle, offset));
  }

  #least(needle: Uint8Array, step: number, costOf: (bucket: Bucket, offset: number) => number): Place {
    const last = this.#lastOffset(needle);
    let best: Place | null = null;
    let least = Infinity;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const candidate = this.#buckets[bucket] as Bucket;
      for (let offset = 0; offset <= last; offset += step) {
        if (!this.#fits(needle, offset)) continue;
        const more = costOf(candidate, offset);
        if (more < least) [best, least] = [{ bucket, offset }, more];
      }
    }
    if (best !== null) return best;
    if (step === 1) throw new Error('a needle that was not asked for by takes()');
    // none among those that were looked at in haste
    return this.#least(needle, 1, costOf);
  }

  /** The first place that costs nothing, where there is one: found without weighing any. */
  #free(needle: Uint8Array): Place | null {
    const last = this.#lastOffset(needle);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const offset = (this.#buckets[bucket] as Bucket).offsetHeld(needle, last);
      if (offset >= 0) return { bucket, offset };
    }
    return null;
  }
}

/** Numbers from 0 to 1, neither of them included, the same ones for a seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

function keyOf(needle: Uint8Array): string {
  return Buffer.from(needle.buffer, needle.byteOffset, needle.length).toString('latin1');
}
