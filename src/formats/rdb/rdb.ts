import { isZlibHeader } from '../compression/magic.ts';
import type { ContainerItem, RandomContainer } from '../container.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault, packedMember, PackedPiece } from '../zlib/piece.ts';
import { decodeLzma2, measureLzma2 } from './lzma2.ts';

/** The length of a record's value before it was packed. */
const LENGTH_BYTES = 4;
/** With the letter that says how it was packed; a zlib stream may stand without one. */
const TYPED_BYTES = 5;

const PLAIN = 0x30;
const ZLIB = 0x31;
const BZIP2 = 0x32;
const LZMA2 = 0x5a;

/**
 * A database of lazily loaded R objects (R, src/main/serialize.c and connections.c): records one
 * after another, packed by zlib, bzip2 or LZMA2. Where they begin is written in the index beside
 * it; here each is found behind the one before.
 */
export const readRdb: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  for (let at: number | null = 0; at !== null && at < reader.size;) at = yield* readRecord(reader, at);
};

/** Reads one record. Returns where the next one begins, null: nobody knows. */
async function* readRecord(
  reader: RangeReader,
  at: number,
): AsyncGenerator<ContainerItem, number | null, undefined> {
  const head = bytesAt(reader, at, TYPED_BYTES + 2);
  const length = BIG_ENDIAN.u32(head, 0);
  const data = at + TYPED_BYTES;
  if (head.length < TYPED_BYTES + 2) {
    yield packedFault('truncated', at, 'a record ends early');
    return null;
  }
  switch (byteAt(head, LENGTH_BYTES)) {
    case PLAIN:
      if (data + length <= reader.size) return data + length;
      yield packedFault('truncated', at, 'a record ends early');
      return null;
    case ZLIB:
      return yield* readPiece(
        new PackedPiece('zlib', reader, data, mostPacked(reader, data, length)),
        length,
      );
    case BZIP2:
      return yield* readPiece(
        new PackedPiece('bzip2', reader, data, mostPacked(reader, data, length)),
        length,
      );
    case LZMA2:
      return yield* readLzma2(reader, data, length);
    default:
  }
  if (isZlibHeader(byteAt(head, LENGTH_BYTES), byteAt(head, TYPED_BYTES))) {
    const start = at + LENGTH_BYTES;
    return yield* readPiece(
      new PackedPiece('zlib', reader, start, mostPacked(reader, start, length)),
      length,
    );
  }
  yield packedFault('unsupported', at, 'a record is packed in an unknown way');
  return null;
}

/** Packing makes nothing much larger: a stream lies before this offset. */
function mostPacked(reader: RangeReader, offset: number, length: number): number {
  return Math.min(reader.size, offset + length + Math.ceil(length / 64) + 1024);
}

async function* readPiece(
  piece: PackedPiece,
  length: number,
): AsyncGenerator<ContainerItem, number | null, undefined> {
  try {
    yield piece.member();
    const fault = await piece.finish();
    if (fault !== null) yield fault;
    if (piece.end === null) {
      yield packedFault('corrupt', piece.offset, 'the records behind a damaged one are not found');
    } else if (piece.decoded !== length) {
      yield packedFault('corrupt', piece.offset, 'a record has not the length that it says');
    }
    return piece.end;
  } finally {
    await piece.close();
  }
}

async function* readLzma2(
  reader: RangeReader,
  offset: number,
  length: number,
): AsyncGenerator<ContainerItem, number | null, undefined> {
  const run = measureLzma2(reader, offset);
  if (typeof run === 'string') {
    yield packedFault(run, offset, 'a record of LZMA2 chunks has no end');
    return null;
  }
  if (run.decodedBytes !== length)
    yield packedFault('corrupt', offset, 'a record has not the length that it says');
  yield packedMember(`lzma2@${offset}`, offset, decodeLzma2(reader, run));
  return offset + run.bytes;
}
