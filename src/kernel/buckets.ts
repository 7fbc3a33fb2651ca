import { KINDS_OF_DATA } from './frequency.ts';
import type { Places } from './matcher.ts';

/** The bytes by which a needle is found among those of its bucket. */
export interface BucketedFingerprint {
  readonly needle: number;
  readonly offset: number;
  readonly bucket: number;
}

/** The adjacent bytes of a fingerprint: of each counts the low nibble, of some the high one, too. */
export const BUCKET_POSITIONS: readonly { readonly high: boolean }[] = [
  { high: true },
  { high: false },
  { high: true },
];

const POSITIONS = BUCKET_POSITIONS.length;
/** Sets of fingerprints that are told apart. */
const BUCKETS = 8;
const ROUNDS = 3;
/** Bytes between the places of a needle that are weighed in haste; odd, for units of two and four bytes repeat. */
const HASTY_STEP = 17;
const KINDS = KINDS_OF_DATA.length;
const SHARES_OF_KINDS = Float64Array.from(KINDS_OF_DATA, ({ share }) => share);
/** By byte and kind, the share of the byte among data of that kind. */
const SHARES_OF_BYTES = new Float64Array(256 * KINDS);
for (const [kind, { bytes }] of KINDS_OF_DATA.entries()) {
  for (let byte = 0; byte < 256; byte++) SHARES_OF_BYTES[byte * KINDS + kind] = bytes[byte] as number;
}

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
   * @param hasty weighs a few places of each needle: a fraction of the time, and up to twice the candidates
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
      const step = hasty ? HASTY_STEP : 1;
      for (const [key, needle] of added) before.set(key, { needle, place: this.#best(needle, step) });
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
  #best(needle: Uint8Array, step = 1): Place {
    const last = Math.min(needle.length - POSITIONS, this.#mostOffset);
    const best = this.#free(needle, last) ?? this.#cheapest(needle, last, step);
    this.#change(needle, best, 1);
    return best;
  }

  #cheapest(needle: Uint8Array, last: number, step: number): Place {
    let best: Place = { bucket: 0, offset: 0 };
    let least = Infinity;
    for (const [bucket, candidate] of this.#buckets.entries()) {
      for (let offset = 0; offset <= last; offset += step) {
        const more = candidate.shareWith(needle, offset) - candidate.share;
        if (more < least) [best, least] = [{ bucket, offset }, more];
      }
    }
    return best;
  }

  /** The first place that costs nothing, where there is one: found without weighing any. */
  #free(needle: Uint8Array, last: number): Place | null {
    for (const [bucket, candidate] of this.#buckets.entries()) {
      const offset = candidate.offsetHeld(needle, last);
      if (offset >= 0) return { bucket, offset };
    }
    return null;
  }
}

function keyOf(needle: Uint8Array): string {
  return Buffer.from(needle.buffer, needle.byteOffset, needle.length).toString('latin1');
}

class Bucket {
  #share: number | null = 0;
  readonly #positions = BUCKET_POSITIONS.map(({ high }) => new NibbleSets(high));

  /** The share of addresses at which its fingerprints may stand. */
  get share(): number {
    this.#share ??= KINDS_OF_DATA.reduce(
      (sum, { share }, kind) =>
        sum + this.#positions.reduce((product, { shares }) => product * (shares[kind] as number), share),
      0,
    );
    return this.#share;
  }

  /** Where in the needle the first fingerprint begins that brings no nibble, at `last` at most; else -1. */
  offsetHeld(needle: Uint8Array, last: number): number {
    const [p0, p1, p2] = this.#positions as [NibbleSets, NibbleSets, NibbleSets];
    for (let offset = 0; offset <= last; offset++) {
      if (
        p0.has(needle[offset] as number) &&
        p1.has(needle[offset + 1] as number) &&
        p2.has(needle[offset + 2] as number)
      ) {
        return offset;
      }
    }
    return -1;
  }

  shareWith(needle: Uint8Array, offset: number): number {
    const [p0, p1, p2] = this.#positions as [NibbleSets, NibbleSets, NibbleSets];
    const a = p0.learnt(needle[offset] as number);
    const b = p1.learnt(needle[offset + 1] as number);
    const c = p2.learnt(needle[offset + 2] as number);
    let share = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      share +=
        (SHARES_OF_KINDS[kind] as number) *
        (p0.with[a + kind] as number) *
        (p1.with[b + kind] as number) *
        (p2.with[c + kind] as number);
    }
    return share;
  }

  /** Counts the fingerprint of a needle in or out. */
  change(needle: Uint8Array, offset: number, by: 1 | -1): void {
    for (const [i, position] of this.#positions.entries()) position.change(needle[offset + i] as number, by);
    this.#share = null;
  }
}

/** The nibbles of the bytes at one position of a bucket, counted. */
class NibbleSets {
  readonly #shares = new Float64Array(KINDS);
  /** Whether nibbles came or went since the shares were told. */
  #stale = false;
  /** By byte and kind, what the shares would be with that byte: where learnt since the last change. */
  readonly with = new Float64Array(256 * KINDS).fill(-1);
  readonly #low = new Uint16Array(16);
  /** Where high nibbles do not count, all of them are there. */
  readonly #high: Uint16Array;
  readonly #hasHigh: boolean;

  constructor(hasHigh: boolean) {
    this.#hasHigh = hasHigh;
    this.#high = new Uint16Array(16).fill(hasHigh ? 0 : 1);
  }

  /** By kind of data, the share of bytes that have a nibble of each. */
  get shares(): Float64Array {
    if (this.#stale) this.#tell();
    return this.#shares;
  }

  /** Whether both nibbles of a byte are there. */
  has(byte: number): boolean {
    return (this.#low[byte & 15] as number) > 0 && (this.#high[byte >> 4] as number) > 0;
  }

  /** Where in `with` the shares with this byte begin. */
  learnt(byte: number): number {
    if (this.#stale) this.#tell();
    const at = byte * KINDS;
    if ((this.with[at] as number) < 0) {
      for (let kind = 0; kind < KINDS; kind++) this.with[at + kind] = this.#shareWith(byte, kind);
    }
    return at;
  }

  #shareWith(byte: number, kind: number): number {
    const shares = KINDS_OF_DATA[kind]?.bytes as Float64Array;
    const low = byte & 15;
    const high = byte >> 4;
    let share = this.#shares[kind] as number;
    if (this.#low[low] === 0) {
      for (let nibble = 0; nibble < 16; nibble++) {
        if ((this.#high[nibble] as number) > 0) share += shares[nibble * 16 + low] as number;
      }
    }
    if (this.#high[high] === 0) {
      for (let nibble = 0; nibble < 16; nibble++) {
        if (nibble === low || (this.#low[nibble] as number) > 0)
          share += shares[high * 16 + nibble] as number;
      }
    }
    return share;
  }

  change(byte: number, by: 1 | -1): void {
    const isNew = count(this.#low, byte & 15, by);
    // one nibble more among others of its kind changes nothing
    if (!(this.#hasHigh && count(this.#high, byte >> 4, by)) && !isNew) return;
    this.#stale = true;
  }

  #tell(): void {
    this.#stale = false;
    this.with.fill(-1);
    const shares = this.#shares.fill(0);
    for (let high = 0; high < 16; high++) {
      if ((this.#high[high] as number) === 0) continue;
      for (let low = 0; low < 16; low++) {
        if ((this.#low[low] as number) === 0) continue;
        const at = (high * 16 + low) * KINDS;
        for (let kind = 0; kind < KINDS; kind++) {
          shares[kind] = (shares[kind] as number) + (SHARES_OF_BYTES[at + kind] as number);
        }
      }
    }
  }
}

/** Whether a nibble came that was not there, or the last of its kind went. */
function count(nibbles: Uint16Array, nibble: number, by: 1 | -1): boolean {
  const before = nibbles[nibble] as number;
  nibbles[nibble] = before + by;
  return before === 0 || before + by === 0;
}
