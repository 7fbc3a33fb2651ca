import { once } from '../model/once.ts';
import { KINDS, kindsOfData } from './frequency.ts';

/** What becomes of a byte from 0x80 on at a position: it is of no bucket, may be of any, or counts as others do. */
type Beyond = 'fails' | 'passes' | 'counts';

/** Bytes that every fingerprint has; a fourth one counts where the needle has it. */
export const POSITIONS = 3;
/** In place of a byte: the needle ends before. */
export const ABSENT = 256;
const ASCII_MOST = 0x7f;

/** Whether a fingerprint may begin there that is searched for without masks: its first and its third byte are ASCII. */
export function isAscii(needle: Uint8Array, offset: number): boolean {
  return (needle[offset] as number) <= ASCII_MOST && (needle[offset + 2] as number) <= ASCII_MOST;
}

/** The four bytes of a fingerprint. */
export function fingerprintOf(needle: Uint8Array, offset: number): readonly [number, number, number, number] {
  const [a, b, c] = [needle[offset], needle[offset + 1], needle[offset + 2]] as [number, number, number];
  return [a, b, c, fourthOf(needle, offset)];
}

function fourthOf(needle: Uint8Array, offset: number): number {
  return needle[offset + POSITIONS] ?? ABSENT;
}

/**
 * How much there is of each kind of data, by byte and kind the share of the byte, the same of ASCII only, and by kind
 * the share of all other bytes and of all; plans in haste need none of them.
 */
const weights = once(() => {
  const kinds = kindsOfData();
  const all = new Float64Array(256 * KINDS);
  const ascii = new Float64Array(256 * KINDS);
  const beyond = new Float64Array(KINDS);
  const whole = new Float64Array(KINDS);
  for (const [kind, { bytes }] of kinds.entries()) {
    for (let byte = 0; byte < 256; byte++) {
      const share = bytes[byte] as number;
      all[byte * KINDS + kind] = share;
      whole[kind] = (whole[kind] as number) + share;
      if (byte <= ASCII_MOST) ascii[byte * KINDS + kind] = share;
      else beyond[kind] = (beyond[kind] as number) + share;
    }
  }
  return { kinds: Float64Array.from(kinds, ({ share }) => share), all, ascii, beyond, whole };
});

/** Fingerprints that are told apart from those of other buckets, as the nibbles at each of their positions. */
export class Bucket {
  #share: number | null = 0;
  // fields of their own, for taking an array apart takes long where little runs
  readonly #first: NibbleSets;
  readonly #second: NibbleSets;
  readonly #third: NibbleSets;
  readonly #fourth: NibbleSets;

  /** @param any whether any bytes are looked up by their nibbles, or ASCII only, see assembly/fingerprints.ts */
  constructor(any: boolean) {
    this.#first = new NibbleSets(true, any ? 'counts' : 'fails');
    this.#second = new NibbleSets(false, any ? 'counts' : 'passes');
    this.#third = new NibbleSets(false, any ? 'counts' : 'fails');
    this.#fourth = new NibbleSets(false, any ? 'counts' : 'passes');
  }

  /** The share of addresses at which its fingerprints may stand. */
  get share(): number {
    const positions = [this.#first, this.#second, this.#third, this.#fourth];
    this.#share ??= weights().kinds.reduce(
      (sum, share, kind) =>
        sum + positions.reduce((product, { shares }) => product * (shares[kind] as number), share),
      0,
    );
    return this.#share;
  }

  /** Where in the needle the first fingerprint begins that brings no nibble, at `last` at most; else -1. */
  offsetHeld(needle: Uint8Array, last: number): number {
    for (let offset = 0; offset <= last; offset++) {
      if (
        this.#first.has(needle[offset] as number) &&
        this.#second.has(needle[offset + 1] as number) &&
        this.#third.has(needle[offset + 2] as number) &&
        this.#fourth.has(fourthOf(needle, offset))
      ) {
        return offset;
      }
    }
    return -1;
  }

  /** How many nibbles a fingerprint brings. */
  nibblesWith(needle: Uint8Array, offset: number): number {
    return (
      this.#first.lacked(needle[offset] as number) +
      this.#second.lacked(needle[offset + 1] as number) +
      this.#third.lacked(needle[offset + 2] as number) +
      this.#fourth.lacked(fourthOf(needle, offset))
    );
  }

  shareWith(needle: Uint8Array, offset: number): number {
    const kinds = weights().kinds;
    const a = this.#first.learnt(needle[offset] as number);
    const b = this.#second.learnt(needle[offset + 1] as number);
    const c = this.#third.learnt(needle[offset + 2] as number);
    const d = this.#fourth.learnt(fourthOf(needle, offset));
    let share = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      share +=
        (kinds[kind] as number) *
        (this.#first.with[a + kind] as number) *
        (this.#second.with[b + kind] as number) *
        (this.#third.with[c + kind] as number) *
        (this.#fourth.with[d + kind] as number);
    }
    return share;
  }

  /** Counts the fingerprint of a needle in or out. */
  change(needle: Uint8Array, offset: number, by: 1 | -1): void {
    this.#first.change(needle[offset] as number, by);
    this.#second.change(needle[offset + 1] as number, by);
    this.#third.change(needle[offset + 2] as number, by);
    this.#fourth.change(fourthOf(needle, offset), by);
    this.#share = null;
  }
}

/** The nibbles of the bytes at one position of a bucket, counted. */
class NibbleSets {
  readonly #shares = new Float64Array(KINDS);
  /** Whether nibbles came or went since the shares were told. */
  #stale: boolean;
  /** By byte and kind, what the shares would be with that byte: where learnt since the last change. */
  with = new Float64Array(0);
  readonly #low = new Uint16Array(16);
  /** Where high nibbles do not count, all of them are there. */
  readonly #high: Uint16Array;
  readonly #hasHigh: boolean;
  readonly #beyond: Beyond;

  constructor(hasHigh: boolean, beyond: Beyond) {
    this.#hasHigh = hasHigh;
    this.#beyond = beyond;
    this.#stale = beyond === 'passes';
    this.#high = new Uint16Array(16).fill(hasHigh ? 0 : 1);
  }

  get #ofBytes(): Float64Array {
    return this.#beyond === 'counts' ? weights().all : weights().ascii;
  }

  /** By kind of data, the share of bytes that have a nibble of each. */
  get shares(): Float64Array {
    if (this.#stale) this.#tell();
    return this.#shares;
  }

  /** Whether both nibbles of a byte are there, and it may be. */
  has(byte: number): boolean {
    if (byte === ABSENT) return this.#missing() === 0;
    if (byte > ASCII_MOST && this.#beyond === 'fails') return false;
    return (this.#low[byte & 15] as number) > 0 && (this.#high[byte >> 4] as number) > 0;
  }

  /** How many nibbles of a byte are not there. */
  lacked(byte: number): number {
    if (byte === ABSENT) return this.#missing();
    return ((this.#low[byte & 15] as number) > 0 ? 0 : 1) + ((this.#high[byte >> 4] as number) > 0 ? 0 : 1);
  }

  /** How many low nibbles are not there. */
  #missing(): number {
    return this.#low.reduce((sum, times) => sum + (times > 0 ? 0 : 1), 0);
  }

  /** Where in `with` the shares with this byte begin. */
  learnt(byte: number): number {
    if (this.#stale) this.#tell();
    if (this.with.length === 0) this.with = new Float64Array((ABSENT + 1) * KINDS).fill(-1);
    const at = byte * KINDS;
    if ((this.with[at] as number) < 0) {
      for (let kind = 0; kind < KINDS; kind++) this.with[at + kind] = this.#shareWith(byte, kind);
    }
    return at;
  }

  #shareWith(byte: number, kind: number): number {
    // as much as there is of all bytes, which is not exactly 1
    if (byte === ABSENT) return weights().whole[kind] as number;
    const ofBytes = this.#ofBytes;
    const low = byte & 15;
    const high = byte >> 4;
    let share = this.#shares[kind] as number;
    if (this.#low[low] === 0) {
      for (let nibble = 0; nibble < 16; nibble++) {
        if ((this.#high[nibble] as number) > 0)
          share += ofBytes[(nibble * 16 + low) * KINDS + kind] as number;
      }
    }
    if (this.#high[high] === 0) {
      for (let nibble = 0; nibble < 16; nibble++) {
        if (nibble === low || (this.#low[nibble] as number) > 0) {
          share += ofBytes[(high * 16 + nibble) * KINDS + kind] as number;
        }
      }
    }
    return share;
  }

  change(byte: number, by: 1 | -1): void {
    if (byte === ABSENT) {
      for (let nibble = 0; nibble < 16; nibble++) this.change(nibble, by);
      return;
    }
    const isNew = count(this.#low, byte & 15, by);
    // one nibble more among others of its kind changes nothing
    if (!(this.#hasHigh && count(this.#high, byte >> 4, by)) && !isNew) return;
    this.#stale = true;
  }

  #tell(): void {
    this.#stale = false;
    this.with.fill(-1);
    const shares = this.#shares.fill(0);
    if (this.#beyond === 'passes') shares.set(weights().beyond);
    const ofBytes = this.#ofBytes;
    for (let high = 0; high < 16; high++) {
      if ((this.#high[high] as number) === 0) continue;
      for (let low = 0; low < 16; low++) {
        if ((this.#low[low] as number) === 0) continue;
        const at = (high * 16 + low) * KINDS;
        for (let kind = 0; kind < KINDS; kind++) {
          shares[kind] = (shares[kind] as number) + (ofBytes[at + kind] as number);
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
