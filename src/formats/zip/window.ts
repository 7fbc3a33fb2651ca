import { NarScanError } from '../../model/errors.ts';
import type { RangeReader } from '../ranges.ts';

/** Bytes that are kept; headers of neighbours, and small members, lie close together. */
const WINDOW_BYTES = 64 * 1024;
/** Bytes that are read after a leap, by members in no order; more as long as reading goes on from there. */
const LEAP_BYTES = 4 * 1024;

/**
 * Small reads of a file out of a piece of it that is kept, so that few of them reach the reader.
 * All of its methods throw NarScanError CONTAINER_UNREADABLE where the reader does not have the bytes.
 */
export class Window {
  readonly size: number;
  readonly #reader: RangeReader;
  #bytes: Buffer;
  #start = 0;
  #length = 0;
  #ahead = WINDOW_BYTES;

  constructor(reader: RangeReader) {
    this.#reader = reader;
    this.size = reader.size;
    this.#bytes = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, reader.size));
  }

  /** What is kept; a longer request may bring another buffer. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Where in {@link bytes} `length` bytes of the file from `offset` on stand now; -1 outside the file. */
  hold(offset: number, length: number): number {
    if (!(offset >= 0 && offset + length <= this.size)) return -1;
    if (offset < this.#start || offset + length > this.#start + this.#length) {
      const goesOn = offset >= this.#start && offset <= this.#start + 2 * this.#length;
      this.#ahead = goesOn ? Math.min(4 * this.#ahead, WINDOW_BYTES) : LEAP_BYTES;
      const ahead = Math.min(Math.max(length, this.#ahead), this.size - offset);
      this.#load(offset, ahead);
    }
    return offset - this.#start;
  }

  /** The bytes [offset, offset + length), valid until the next call; null outside the file. */
  at(offset: number, length: number): Buffer | null {
    const index = this.hold(offset, length);
    return index < 0 ? null : this.#bytes.subarray(index, index + length);
  }

  /** As {@link at}, with as much behind it as happens to be kept. */
  from(offset: number, least: number): Buffer | null {
    const index = this.hold(offset, least);
    return index < 0 ? null : this.#bytes.subarray(index, this.#length);
  }

  #load(offset: number, length: number): void {
    const bytes = this.#reader.read(offset, length);
    if (bytes === null) {
      throw new NarScanError('CONTAINER_UNREADABLE', `zip: no bytes at offset ${offset}`, { offset });
    }
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafe(length);
    this.#bytes.set(bytes);
    this.#start = offset;
    this.#length = length;
  }
}
