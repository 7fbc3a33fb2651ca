import { crc32, inflateRawSync } from 'node:zlib';
import { NarScanError } from '../../model/errors.ts';
import { decompress } from '../compression/decompress.ts';
import type { StreamCodec } from '../compression/codec.ts';
import { streamOf } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import { METHOD } from './headers.ts';
import { unpackLzma } from './lzma.ts';
import type { Window } from './window.ts';

/** What is at most decoded at once: a stream a member costs far more than the decoding. */
const SMALL_PACKED_BYTES = 64 * 1024;
const SMALL_BYTES = 1024 * 1024;

/** Output is decoded to a buffer of the size announced; node:zlib allows none below 64 bytes. */
const MIN_CHUNK_BYTES = 64;
const UNKNOWN_CHUNK_BYTES = 64 * 1024;

const NOTHING = new Uint8Array(0);

/** The data of a member, and what its headers say comes out of it. */
export interface PackedData {
  readonly offset: number;
  /** Bytes that are there and belong to it. */
  readonly length: number;
  readonly method: number;
  readonly flags: number;
  /** Bytes that come out; null: nobody says. */
  readonly size: number | null;
  readonly crc: number | null;
  /** Where the data ends is not known but from itself, somewhere within `length`. */
  readonly open: boolean;
}

/** Bytes of the data that were used; exact once the content was read to its end. */
export interface Progress {
  used: number;
}

type Content = AsyncGenerator<Uint8Array, void, undefined>;

const CODECS: Readonly<Partial<Record<number, StreamCodec>>> = {
  [METHOD.deflate]: 'deflate',
  [METHOD.bzip2]: 'bzip2',
  [METHOD.zstd]: 'zstd',
  [METHOD.xz]: 'xz',
};

export function canUnpack(method: number): boolean {
  return method === METHOD.stored || method === METHOD.lzma || CODECS[method] !== undefined;
}

/**
 * The content of a member, with its length and CRC-32 checked at the end. All that can be decoded
 * is yielded, also what is longer than said.
 *
 * @throws NarScanError CONTAINER_CORRUPT, CONTAINER_TRUNCATED, CONTAINER_UNREADABLE, COMPRESSION_*
 */
export async function* unpack(
  reader: RangeReader,
  window: Window,
  data: PackedData,
  progress: Progress,
): Content {
  const whole = unpackSmall(window, data);
  if (whole !== null) {
    progress.used = whole.used;
    const crc = crc32(whole.content);
    if (whole.content.length > 0) yield whole.content;
    check(data, whole.content.length, crc);
    if (!data.open && whole.used < data.length) throw afterEnd(data, whole.used);
    return;
  }
  let crc = 0;
  let length = 0;
  try {
    for await (const chunk of decode(reader, data)) {
      crc = crc32(chunk, crc);
      length += chunk.length;
      yield chunk;
    }
    progress.used = data.length;
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    progress.used = error.offset ?? data.length;
    if (!data.open || error.code !== 'COMPRESSION_TRAILING') throw error;
  }
  check(data, length, crc);
}

/** Null: it is not small, or damaged; then the decoder of streams gives out what there is. */
function unpackSmall(
  window: Window,
  data: PackedData,
): { readonly content: Uint8Array; readonly used: number } | null {
  if (data.length > SMALL_PACKED_BYTES || (data.size ?? Infinity) > SMALL_BYTES) return null;
  if (data.method !== METHOD.stored && data.method !== METHOD.deflate) return null;
  if (data.length === 0 && data.method === METHOD.stored) return { content: NOTHING, used: 0 };
  const packed = window.at(data.offset, data.length);
  if (packed === null) return null;
  if (data.method === METHOD.stored) return { content: packed, used: packed.length };
  // One byte more than there should be, so that the decoder sees its end within one buffer.
  const most = (data.size ?? SMALL_BYTES) + 1;
  const chunkSize = data.size === null ? UNKNOWN_CHUNK_BYTES : Math.max(MIN_CHUNK_BYTES, most);
  try {
    const options = { chunkSize, maxOutputLength: most, info: true };
    const { buffer, engine } = inflateRawSync(packed, options) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { content: buffer, used: engine.bytesWritten };
  } catch {
    return null;
  }
}

function decode(reader: RangeReader, data: PackedData): Content {
  const stream = streamOf(reader, data.offset, data.length);
  if (data.method === METHOD.lzma) return unpackLzma(stream, data);
  return decompress(CODECS[data.method] ?? 'none', stream);
}

function check(data: PackedData, length: number, crc: number): void {
  const fail = (what: string): NarScanError =>
    new NarScanError('CONTAINER_CORRUPT', `zip member at byte ${data.offset}: ${what}`, {
      offset: data.offset,
    });
  if (data.size !== null && data.size !== length) throw fail(`${length} bytes, ${data.size} announced`);
  if (data.crc !== null && data.crc !== crc) throw fail('CRC-32 differs');
}

function afterEnd(data: PackedData, used: number): NarScanError {
  const offset = data.offset + used;
  return new NarScanError('CONTAINER_CORRUPT', `zip member at byte ${data.offset}: ends before its data do`, {
    offset,
  });
}
