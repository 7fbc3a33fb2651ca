import { NarScanError } from '../../model/errors.ts';
import { byteAt, LITTLE_ENDIAN } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';

const WINDOW_BYTES = 256 * 1024;
/** Bytes that one number of up to 32 bits may touch. */
const NUMBER_BYTES = 5;
/** A number that is made of pieces has at most 64 bits. */
const MOST_BITS = 64;

/**
 * Numbers of any width out of a range of a file, least significant bit first.
 *
 * Every method throws CONTAINER_TRUNCATED where the range ends early, and CONTAINER_UNREADABLE where
 * the reader does not have the bytes.
 */
export class BitReader {
  readonly #reader: RangeReader;
  readonly #start: number;
  readonly #end: number;
  #window: Uint8Array = new Uint8Array(0);
  /** File offset of the window's first byte. */
  #windowAt: number;
  /** The next bit, counted from the window's first. */
  #bit = 0;

  /** @param reader of the file, of which [offset, offset + length) is read */
  constructor(reader: RangeReader, offset: number, length: number) {
    this.#reader = reader;
    this.#start = offset;
    this.#end = offset + length;
    this.#windowAt = offset;
  }

  /** File offset of the byte that holds the next bit. */
  get offset(): number {
    return this.#windowAt + (this.#bit >>> 3);
  }

  /** Bits up to the end of the range. */
  get bitsLeft(): number {
    return (this.#end - this.#windowAt) * 8 - this.#bit;
  }

  /** A number of `width` bits, at most 32. */
  fixed(width: number): number {
    const bit = this.#bit;
    const last = bit + width;
    if (last > this.#window.length * 8) return this.#refilled(width);
    this.#bit = last;
    const at = bit >>> 3;
    const shift = bit & 7;
    const low = LITTLE_ENDIAN.u32(this.#window, at) >>> shift;
    if (shift + width <= 32) return width === 32 ? low : low & ((1 << width) - 1);
    const high = byteAt(this.#window, at + 4) << (32 - shift);
    const all = (low | high) >>> 0;
    return width === 32 ? all : all & ((1 << width) - 1);
  }

  /**
   * A number in pieces of `width` bits (2 to 32), the highest of each saying whether another follows.
   * Exact below 2^53.
   *
   * @throws NarScanError CONTAINER_CORRUPT where it has more than 64 bits
   */
  variable(width: number): number {
    const more = 2 ** (width - 1);
    let value = 0;
    let scale = 1;
    for (let bits = 0; bits <= MOST_BITS; bits += width - 1) {
      const piece = this.fixed(width);
      if (piece < more) return value + piece * scale;
      value += (piece - more) * scale;
      scale *= more;
    }
    throw new NarScanError('CONTAINER_CORRUPT', 'a number has too many bits', { offset: this.offset });
  }

  /** Goes on to the next whole word of 32 bits, counted from the start of the range. */
  align(): void {
    const bits = (this.#windowAt - this.#start) * 8 + this.#bit;
    const over = bits % 32;
    if (over > 0) this.skip(Math.min(32 - over, this.bitsLeft));
  }

  /** Skips any number of bits. */
  skip(bits: number): void {
    if (bits > this.bitsLeft) throw this.#truncated();
    const target = this.#bit + bits;
    const bytes = Math.floor(target / 8);
    if (bytes <= this.#window.length) {
      this.#bit = target;
      return;
    }
    this.#windowAt += bytes;
    this.#window = new Uint8Array(0);
    this.#bit = target % 8;
  }

  #refilled(width: number): number {
    if (width > this.bitsLeft) throw this.#truncated();
    const at = this.offset;
    const length = Math.min(Math.max(WINDOW_BYTES, NUMBER_BYTES), this.#end - at);
    const bytes = this.#reader.read(at, length);
    if (bytes === null) {
      throw new NarScanError('CONTAINER_UNREADABLE', `no bytes at offset ${at}`, { offset: at });
    }
    // Whoever takes what is read here may read from the same file meanwhile.
    this.#window = bytes.slice();
    this.#windowAt = at;
    this.#bit &= 7;
    return this.fixed(width);
  }

  #truncated(): NarScanError {
    return new NarScanError('CONTAINER_TRUNCATED', 'the bitstream ends early', { offset: this.#end });
  }
}
