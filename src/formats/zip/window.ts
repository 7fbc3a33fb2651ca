import type { RangeReader } from '../ranges.ts';

/** Bytes that are kept; headers of neighbours, and small members, lie close together. */
export const WINDOW_BYTES = 64 * 1024;

/** Small reads of a file out of a piece of it that is kept, so that few of them reach the reader. */
export class Window {
  readonly size: number;
  readonly #reader: RangeReader;
  #bytes: Buffer;
  #start = 0;
  #length = 0;

  constructor(reader: RangeReader) {
    this.#reader = reader;
    this.size = reader.size;
    this.#bytes = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, reader.size));
  }

  /** The bytes [offset, offset + length), valid until the next call; null where they are not to be had. */
  at(offset: number, length: number): Buffer | null {
    const span = this.from(offset, length);
    return span === null ? null : span.subarray(0, length);
  }

  /** As {@link at}, with as much behind it as happens to be kept. */
  from(offset: number, least: number): Buffer | null {
    if (!(offset >= 0 && offset + least <= this.size)) return null;
    if (offset < this.#start || offset + least > this.#start + this.#length) {
      const ahead = Math.min(Math.max(least, WINDOW_BYTES), this.size - offset);
      if (!this.#load(offset, ahead) && !this.#load(offset, least)) return null;
    }
    return this.#bytes.subarray(offset - this.#start, this.#length);
  }

  #load(offset: number, length: number): boolean {
    const bytes = this.#reader.read(offset, length);
    if (bytes === null) return false;
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafe(length);
    this.#bytes.set(bytes);
    this.#start = offset;
    this.#length = length;
    return true;
  }
}
