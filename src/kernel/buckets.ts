import { SHARES_OF_BYTES } from './frequency.ts';

/** The bytes by which a needle is found among those of its bucket. */
export interface BucketedFingerprint {
  readonly needle: number;
  readonly offset: number;
  readonly bucket: number;
}

interface Place {
  readonly bucket: number;
  readonly offset: number;
}

/** Adjacent bytes of one fingerprint, and sets of fingerprints that are told apart. */
const POSITIONS = 3;
const BUCKETS = 8;
const ROUNDS = 6;
/** What a share of text counts, beside one of programs: letters go together there, and more often than by chance. */
const WEIGHT_OF_TEXT = 20;

/**
 * Puts the needles into eight buckets such that candidates are rare. Of a bucket it is known at each
 * position which low and which high nibbles may stand there, so that any bytes go together, but
 * bytes that share a nibble go together best. Greedy, needles with the least choice first; then those
 * that share a fingerprint are put anew, given the others.
 *
 * @param chosen indices of the needles, of three bytes or more each
 * @param mostOffset where a fingerprint may begin at most
 */
export function fillBuckets(
  needles: readonly Uint8Array[],
  chosen: readonly number[],
  mostOffset: number,
): readonly BucketedFingerprint[] {
  const buckets = Array.from({ length: BUCKETS }, () => new Bucket());
  const order = chosen.toSorted(
    (a, b) => (needles[a] as Uint8Array).length - (needles[b] as Uint8Array).length,
  );
  const places = new Map<number, Place>();
  const put = (index: number): void => {
    const needle = needles[index] as Uint8Array;
    const place = bestPlace(buckets, needle, mostOffset);
    buckets[place.bucket]?.change(needle, place.offset, 1);
    places.set(index, place);
  };
  for (const index of order) put(index);
  for (let round = 1; round < ROUNDS; round++) {
    // while one needle stays with its bytes, others with the same have no reason to go
    const groups = Map.groupBy(order, (index) => {
      const { bucket, offset } = places.get(index) as Place;
      return [bucket, ...(needles[index] as Uint8Array).subarray(offset, offset + POSITIONS)].join(' ');
    });
    for (const group of groups.values()) {
      for (const index of group) {
        const { bucket, offset } = places.get(index) as Place;
        buckets[bucket]?.change(needles[index] as Uint8Array, offset, -1);
      }
      for (const index of group) put(index);
    }
  }
  return chosen.map((needle) => ({ needle, ...(places.get(needle) as Place) }));
}

function bestPlace(buckets: readonly Bucket[], needle: Uint8Array, mostOffset: number): Place {
  let best = { bucket: 0, offset: 0 };
  let least = Infinity;
  for (const [bucket, candidate] of buckets.entries()) {
    for (let offset = 0; offset <= Math.min(needle.length - POSITIONS, mostOffset); offset++) {
      const more = candidate.shareWith(needle, offset) - candidate.share;
      if (more < least) [best, least] = [{ bucket, offset }, more];
    }
  }
  return best;
}

class Bucket {
  /** The share of addresses at which its fingerprints may stand: in programs, and weighted, in text. */
  share = 0;
  readonly #positions = Array.from({ length: POSITIONS }, () => new NibbleSets());

  shareWith(needle: Uint8Array, offset: number): number {
    let programs = 1;
    let text = 1;
    for (let i = 0; i < POSITIONS; i++) {
      const position = this.#positions[i] as NibbleSets;
      const byte = needle[offset + i] as number;
      position.learn(byte);
      programs *= position.programs[byte] as number;
      text *= position.text[byte] as number;
    }
    return programs + WEIGHT_OF_TEXT * text;
  }

  /** Counts the fingerprint of a needle in or out. */
  change(needle: Uint8Array, offset: number, by: 1 | -1): void {
    let programs = 1;
    let text = 1;
    for (const [i, position] of this.#positions.entries()) {
      position.change(needle[offset + i] as number, by);
      programs *= position.shares[0] as number;
      text *= position.shares[1] as number;
    }
    this.share = programs + WEIGHT_OF_TEXT * text;
  }
}

/** The low and the high nibbles of the bytes at one position of a bucket, counted. */
class NibbleSets {
  /** The share of bytes that have a nibble of each, in programs and in text. */
  readonly shares = new Float64Array(2);
  /** By byte, what the shares would be with it: known of those that were learnt since the last change. */
  readonly programs = new Float64Array(256).fill(-1);
  readonly text = new Float64Array(256).fill(-1);
  readonly #low = new Uint16Array(16);
  readonly #high = new Uint16Array(16);

  learn(byte: number): void {
    if ((this.programs[byte] as number) >= 0) return;
    this.programs[byte] = this.#with(byte, 0);
    this.text[byte] = this.#with(byte, 1);
  }

  #with(byte: number, kind: 0 | 1): number {
    const shares = SHARES_OF_BYTES[kind];
    const low = byte & 15;
    const high = byte >> 4;
    let share = this.shares[kind] as number;
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
    if (!count(this.#high, byte >> 4, by) && !isNew) return;
    this.programs.fill(-1);
    this.text.fill(-1);
    for (const [kind, shares] of SHARES_OF_BYTES.entries()) {
      let share = 0;
      for (let each = 0; each < 256; each++) {
        const isIn = (this.#low[each & 15] as number) > 0 && (this.#high[each >> 4] as number) > 0;
        if (isIn) share += shares[each] as number;
      }
      this.shares[kind] = share;
    }
  }
}

/** Whether a nibble came that was not there, or the last of its kind went. */
function count(nibbles: Uint16Array, nibble: number, by: 1 | -1): boolean {
  const before = nibbles[nibble] as number;
  nibbles[nibble] = before + by;
  return before === 0 || before + by === 0;
}
