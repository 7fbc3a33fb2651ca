import { LIMITS } from '../../model/limits.ts';
import type { GapReason } from '../../model/facts.ts';
import { NarScanError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';
import type { StreamCodec } from '../compression/codec.ts';
import { decompress } from '../compression/decompress.ts';
import { inflateSmall } from '../compression/inflate.ts';
import type { ByteStream, ContainerFault, Member } from '../container.ts';
import { streamOf } from '../container.ts';
import type { RangeReader } from '../ranges.ts';

/** Most packed pieces are short: those of zlib that lie within this are decoded without a stream. */
const SHORT_BYTES = 4 * 1024;
/** What is asked for first of the others. */
const FIRST_BYTES = 32 * 1024;

/**
 * One packed stream of a container. The container goes on behind its end, which nothing but the
 * decoding tells: whatever its reader leaves unread is decoded by {@link finish}.
 */
export class PackedPiece {
  /** Offset in the container of the first packed byte. */
  readonly offset: number;
  /** Offset in the container behind the stream; null until it was reached. */
  end: number | null = null;
  /** Bytes that were decoded so far. */
  decoded = 0;
  /** What the decoding failed with. */
  error: NarScanError | null = null;
  /** Whether somebody saw {@link error}. */
  #told = false;
  #begun = false;
  readonly #codec: StreamCodec;
  readonly #reader: RangeReader;
  readonly #limit: number;
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>;

  /** @param limit offset in the container that the stream cannot go beyond */
  constructor(codec: StreamCodec, reader: RangeReader, offset: number, limit = reader.size) {
    this.offset = offset;
    this.#codec = codec;
    this.#reader = reader;
    this.#limit = limit;
    this.#chunks = decompress(codec, pieces(reader, offset, limit));
  }

  /** The decoded bytes. @throws NarScanError COMPRESSION_*, CONTAINER_UNREADABLE */
  async *contents(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) yield chunk;
    if (this.error === null) return;
    this.#told = true;
    throw this.error;
  }

  /**
   * The decoded bytes of what may be no stream at all: a fault that shows that it is none is not thrown.
   * @throws NarScanError as {@link contents}, once enough was decoded
   */
  async *attempt(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.contents();
    } catch (error) {
      if (!this.isChance) throw error;
    }
  }

  /** It failed so early that it is likely no stream: two bytes of anything can begin one. */
  get isChance(): boolean {
    const { error } = this;
    return (
      error !== null && error.code.startsWith('COMPRESSION_') && this.decoded < LIMITS.embeddedProofBytes
    );
  }

  /** As a member that is named by its codec and place. */
  member(contents: ByteStream = this.contents()): Member {
    return packedMember(`${this.#codec}@${this.offset}`, this.offset, contents);
  }

  /**
   * Decodes what was left unread, within bounds.
   *
   * @returns the fault that keeps what follows from being found and that nobody was told of; null
   *   where there is none: then {@link end} or {@link error} says how it ended
   */
  async finish(): Promise<ContainerFault | null> {
    const most = this.decoded + LIMITS.packedSkipBytes;
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) {
      if (this.decoded > most) {
        await this.#chunks.return();
        return packedFault('limit-size', this.offset, 'what follows a piece that was not read to its end');
      }
    }
    if (this.error === null || this.#told) return null;
    this.#told = true;
    return packedFault(REASONS[this.error.code] ?? 'corrupt', this.offset, this.error.message);
  }

  /** Lets the source go. */
  async close(): Promise<void> {
    await this.#chunks.return();
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.error !== null || this.end !== null) return null;
    try {
      const short = this.#begun ? null : this.#inflateShort();
      this.#begun = true;
      if (short !== null) return short.length > 0 ? short : null;
      const { done, value } = await this.#chunks.next();
      if (done !== true) {
        this.decoded += value.length;
        return value;
      }
      this.end = this.#limit;
    } catch (error) {
      if (!(error instanceof NarScanError)) throw error;
      if (error.code === 'COMPRESSION_TRAILING') this.end = this.offset + (error.offset ?? 0);
      else this.error = error;
    }
    return null;
  }

  /** All that a short zlib stream decodes to; null: it is another one, or damaged. */
  #inflateShort(): Uint8Array | null {
    if (this.#codec !== 'zlib') return null;
    const bytes = bytesAt(this.#reader, this.offset, Math.min(SHORT_BYTES, this.#limit - this.offset));
    const short = inflateSmall(true, bytes);
    if (short === null) return null;
    this.end = this.offset + short.used;
    this.decoded = short.output.length;
    return short.output;
  }
}

async function* pieces(reader: RangeReader, offset: number, limit: number): AsyncGenerator<Uint8Array> {
  const first = Math.min(FIRST_BYTES, limit - offset);
  yield* streamOf(reader, offset, first);
  yield* streamOf(reader, offset + first, limit - offset - first);
}

/** A member whose bytes are packed. */
export function packedMember(name: string, offset: number, contents: ByteStream): Member {
  return { item: 'member', name, type: 'file', target: '', offset, stored: false, contents };
}

/** A fault of the container, not of one of its members. */
export function packedFault(reason: GapReason, offset: number, detail: string): ContainerFault {
  return { item: 'fault', reason, offset, member: null, detail };
}

const REASONS: Partial<Record<ErrorCode, GapReason>> = {
  COMPRESSION_TRUNCATED: 'truncated',
  COMPRESSION_MEMORY: 'limit-memory',
  COMPRESSION_UNSUPPORTED: 'unsupported',
  CONTAINER_UNREADABLE: 'unreadable',
};

/** The bytes [offset, offset + length) of a container, fewer at its end. @throws NarScanError CONTAINER_UNREADABLE */
export function bytesAt(reader: RangeReader, offset: number, length: number): Uint8Array {
  const count = Math.max(0, Math.min(length, reader.size - offset));
  if (count === 0) return new Uint8Array(0);
  const bytes = reader.read(offset, count);
  if (bytes === null) {
    throw new NarScanError('CONTAINER_UNREADABLE', `no bytes at offset ${offset}`, { offset });
  }
  return bytes;
}
