import type { ContainerItem, RandomContainer } from '../container.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { findText } from '../zlib/find.ts';
import { bytesAt, packedFault, PackedPiece } from '../zlib/piece.ts';

/** Of a marshalled value that is compressed; others are plain. */
const MAGIC = '\x84\x95\xa6\xbd';
const HEADER_START_BYTES = 5;
/** Five numbers of one to ten bytes. */
const LEAST_HEADER_BYTES = 10;
const MOST_HEADER_BYTES = 55;
const ZSTD_MAGIC = 0x28b5_2ffd;

interface MarshalHeader {
  readonly bytes: number;
  readonly packedBytes: number;
  readonly decodedBytes: number;
}

/**
 * The compressed values in a file of the OCaml compiler, since 5.1 those of .cmt and .cmti (OCaml,
 * runtime/caml/intext.h and extern.c): a header with the length of everything, then zstd. A file
 * may hold several values, at places that only its own kind knows, so they are searched for.
 */
export const readOcaml: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  for (let at = findText(reader, MAGIC, 0); at !== -1; at = findText(reader, MAGIC, at)) {
    const header = readHeader(bytesAt(reader, at, MOST_HEADER_BYTES + 4));
    at += HEADER_START_BYTES;
    if (header === null) continue;
    const data = at - HEADER_START_BYTES + header.bytes;
    const end = data + header.packedBytes;
    yield* readValue(reader, data, Math.min(end, reader.size), header.decodedBytes);
    if (end > reader.size) yield packedFault('truncated', data, 'a compressed value is longer than the file');
    at = Math.min(end, reader.size);
  }
};

async function* readValue(
  reader: RangeReader,
  data: number,
  limit: number,
  decodedBytes: number,
): AsyncGenerator<ContainerItem, void, undefined> {
  if (BIG_ENDIAN.u32(bytesAt(reader, data, 4), 0) !== ZSTD_MAGIC) {
    yield packedFault('unsupported', data, 'a compressed value is not packed by zstd');
    return;
  }
  const piece = new PackedPiece('zstd', reader, data, limit);
  try {
    yield piece.member();
    if (piece.end !== null && (piece.end < limit || piece.decoded !== decodedBytes)) {
      yield packedFault('corrupt', data, 'a compressed value has not the length that its header says');
    }
  } finally {
    await piece.close();
  }
}

/** Reads the header at the start of `bytes`; null: it is none. */
function readHeader(bytes: Uint8Array): MarshalHeader | null {
  const length = byteAt(bytes, 4) & 0x3f;
  if (length < LEAST_HEADER_BYTES || length > MOST_HEADER_BYTES || bytes.length < length) return null;
  const numbers: number[] = [];
  let value = 0;
  for (let at = HEADER_START_BYTES; at < length; at += 1) {
    const byte = byteAt(bytes, at);
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    numbers.push(value);
    value = 0;
  }
  const [packedBytes, decodedBytes, ...others] = numbers;
  const isWhole = others.length === 3 && (byteAt(bytes, length - 1) & 0x80) === 0;
  if (!isWhole || packedBytes === undefined || decodedBytes === undefined) return null;
  return { bytes: length, packedBytes, decodedBytes };
}
