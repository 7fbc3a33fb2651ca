import { streamOf, type ByteStream } from '../../formats/container.ts';
import type { RangeReader } from '../../formats/ranges.ts';
import { NarScanError } from '../../model/errors.ts';

const PIECE_BYTES = 64 * 1024;

/** A container's bytes: in order, and by offset where its tables are read. */
export interface Source {
  readonly reader: RangeReader | null;
  stream(): ByteStream;
}

export function sourceOf(reader: RangeReader): Source {
  return { reader, stream: () => streamOf(reader) };
}

/** What of a reader lies from an offset on, up to its end or another one. */
export class Subrange implements RangeReader {
  readonly #reader: RangeReader;
  readonly #from: number;
  readonly size: number;

  constructor(reader: RangeReader, from: number, to = reader.size) {
    this.#reader = reader;
    this.#from = from;
    this.size = to - from;
  }

  read(offset: number, length: number): Uint8Array | null {
    if (offset < 0 || offset + length > this.size) return null;
    return this.#reader.read(this.#from + offset, length);
  }
}

/** Counts the bytes of a stream as they are taken. */
export class Counted {
  count = 0;
  readonly #stream: ByteStream;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  async *stream(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#stream) {
      this.count += chunk.length;
      yield chunk;
    }
  }
}

/**
 * Offset of the first byte that is not zero from `from` on, or the size where there is none.
 * @throws NarScanError CONTAINER_UNREADABLE
 */
export function firstNonZero(reader: RangeReader, from: number): number {
  for (let at = from; at < reader.size; at += PIECE_BYTES) {
    const piece = readAt(reader, at, Math.min(PIECE_BYTES, reader.size - at));
    const found = piece.findIndex((byte) => byte !== 0);
    if (found >= 0) return at + found;
  }
  return reader.size;
}

/** @throws NarScanError CONTAINER_UNREADABLE where the reader does not have those bytes */
export function readAt(reader: RangeReader, offset: number, length: number): Uint8Array {
  const bytes = reader.read(offset, length);
  if (bytes !== null) return bytes;
  throw new NarScanError('CONTAINER_UNREADABLE', `no bytes at offset ${offset}`, { offset });
}
