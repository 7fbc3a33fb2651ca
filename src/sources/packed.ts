import type { Codec } from '../formats/compression/codec.ts';
import { sniffNar, SNIFF_BYTES } from '../formats/nar/sniff.ts';
import { checkRatio, type ContainerLimits, LimitReached } from '../inspect/containers/budget.ts';
import type { ByteSource } from './byteSource.ts';
import type { PackedSearch } from './packedSearch.ts';

/** The most that is read of a packed stream at once. */
export const PACKED_BYTES: number = 256 * 1024;

/** The compression of a stream, or null where it is none: a NAR or an export stream as it is. */
export async function codecOf(head: Uint8Array, name: string | null): Promise<Codec | null> {
  if (sniffNar(head.subarray(0, SNIFF_BYTES)) !== null) return null;
  const { sniffCodec } = await import('../formats/compression/sniff.ts');
  const codec = sniffCodec(head, name);
  return codec === 'none' ? null : codec;
}

/** A packed stream, piece by piece. */
export class Packed implements Iterable<Uint8Array> {
  /** Bytes that were given. */
  taken = 0;
  readonly #head: Uint8Array;
  readonly #source: ByteSource;
  readonly #search: PackedSearch | null;

  /**
   * @param head what was read of the source already
   * @param search sees all that is given
   */
  constructor(head: Uint8Array, source: ByteSource, search: PackedSearch | null = null) {
    this.#head = head;
    this.#source = source;
    this.#search = search;
  }

  *[Symbol.iterator](): Generator<Uint8Array, void, undefined> {
    yield this.#give(this.#head);
    const buffer = Buffer.alloc(PACKED_BYTES);
    for (;;) {
      const count = this.#source.read(buffer, 0, buffer.length);
      if (count === 0) return;
      yield this.#give(buffer.subarray(0, count));
    }
  }

  #give(piece: Uint8Array): Uint8Array {
    this.taken += piece.length;
    this.#search?.add(piece);
    return piece;
  }
}

/**
 * Holds a whole packed stream to the limits of containers.
 * @throws LimitReached
 */
export function checkUnpacked(limits: ContainerLimits, decoded: number, packed: number): void {
  checkRatio(limits, decoded, packed);
  if (decoded > limits.expandedBytes)
    throw new LimitReached('limit-size', `it unpacks to more than ${limits.expandedBytes} bytes`);
}

/** What a packed stream unpacks to, and the error behind it, as `decompress` tells. */
export interface Decoding extends AsyncIterable<Uint8Array> {
  /** Packed bytes that the decoder had been given when the last chunk came. */
  readonly given: number;
}

/**
 * Decodes a packed stream, in the thread that scans or beside it.
 * @param length bytes of the packed stream, where that is known
 */
export type Decode = (codec: Codec, packed: Packed, length: number | null) => Decoding | Promise<Decoding>;

/** Decodes in the thread that scans. */
export async function decodeHere(codec: Codec, packed: Packed): Promise<Decoding> {
  const { decompress } = await import('../formats/compression/decompress.ts');
  return {
    get given() {
      return packed.taken;
    },
    [Symbol.asyncIterator]: () => decompress(codec, packed),
  };
}
