import type { RangeReader } from '../../src/formats/ranges.ts';
import type { ByteSource } from '../../src/sources/byteSource.ts';

/** Bytes that come in pieces of the given sizes, over and over; random access only if `seekable`. */
export class PiecedSource implements ByteSource {
  readonly length = null;
  readonly #bytes: Buffer;
  readonly #sizes: readonly number[];
  readonly #seekable: boolean;
  #at = 0;
  #reads = 0;

  constructor(bytes: Buffer, sizes: readonly number[], seekable = false) {
    this.#seekable = seekable;
    this.#bytes = bytes;
    this.#sizes = sizes;
  }

  read(memory: Uint8Array, at: number, length: number): number {
    const size = this.#sizes[this.#reads++ % this.#sizes.length] ?? 1;
    const piece = this.#bytes.subarray(this.#at, this.#at + Math.min(size, length));
    memory.set(piece, at);
    this.#at += piece.length;
    return piece.length;
  }

  range(offset: number, size: number): RangeReader | null {
    if (!this.#seekable) return null;
    const read = (from: number, length: number): Uint8Array | null =>
      from < 0 || from + length > size ? null : this.#bytes.subarray(offset + from, offset + from + length);
    return { size, read };
  }
}
