import { isZlibHeader } from '../compression/magic.ts';
import type { ContainerItem, RandomContainer } from '../container.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault, PackedPiece } from '../zlib/piece.ts';

const HEADER_BYTES = 12;
/** The checksum at the end, and the name of a base: SHA-1 or SHA-256, and the pack does not say which. */
const HASH_BYTES = [20, 32] as const;

/** A header and what stands before the zlib stream: two numbers of ten bytes at most and a hash. */
const OBJECT_HEADER_BYTES = 64;

const COMMIT = 1;
const TAG = 4;
const OFFSET_DELTA = 6;
const HASH_DELTA = 7;

interface PackedObject {
  /** Bytes that it inflates to. */
  readonly size: number;
  /** Bytes before its zlib stream. */
  readonly headerBytes: number;
}

/**
 * A git pack of version 2 or 3 (git, Documentation/gitformat-pack.txt): each object as a member,
 * as it was inflated. A delta is given as it is, instructions and inserted bytes: a text that it
 * puts together from its base and from several inserts stands nowhere in one piece.
 */
export const readGitPack: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  const head = bytesAt(reader, 0, HEADER_BYTES);
  if (head.length < HEADER_BYTES) {
    yield packedFault('truncated', 0, 'the pack ends in its header');
    return;
  }
  const count = BIG_ENDIAN.u32(head, 8);
  let at = HEADER_BYTES;
  for (let index = 0; index < count; index += 1) {
    const object = readHeader(bytesAt(reader, at, OBJECT_HEADER_BYTES));
    if (object === null) {
      const short = reader.size - at <= HASH_BYTES[1];
      yield packedFault(short ? 'truncated' : 'corrupt', at, `object ${index} of ${count} has no header`);
      return;
    }
    const piece = new PackedPiece('zlib', reader, at + object.headerBytes);
    try {
      yield piece.member();
      const fault = await piece.finish();
      if (fault !== null) yield fault;
      if (piece.end === null) {
        yield packedFault(
          'corrupt',
          piece.offset,
          `objects behind number ${index} of ${count} are not found`,
        );
        return;
      }
      if (piece.decoded !== object.size) {
        yield packedFault('corrupt', at, `object ${index} has not the size that its header says`);
      }
      at = piece.end;
    } finally {
      await piece.close();
    }
  }
  const rest = reader.size - at;
  if (rest < HASH_BYTES[0]) yield packedFault('truncated', at, 'the pack has no checksum');
  else if (rest !== HASH_BYTES[0] && rest !== HASH_BYTES[1]) {
    yield packedFault('corrupt', at, 'bytes follow the last object');
  }
};

/** Three bits of type, a size in groups of seven bits, lowest first; of deltas also where the base is. */
function readHeader(bytes: Uint8Array): PackedObject | null {
  const first = byteAt(bytes, 0);
  const type = (first >> 4) & 7;
  let size = first & 15;
  let at = 1;
  for (let scale = 16; (byteAt(bytes, at - 1) & 0x80) !== 0; scale *= 128) {
    if (at > 9) return null;
    size += (byteAt(bytes, at) & 0x7f) * scale;
    at += 1;
  }
  if (type === OFFSET_DELTA) {
    const start = at;
    while ((byteAt(bytes, at) & 0x80) !== 0 && at - start < 10) at += 1;
    at += 1;
  } else if (type === HASH_DELTA) {
    const hashBytes = HASH_BYTES.find((count) => startsZlib(bytes, at + count));
    if (hashBytes === undefined) return null;
    at += hashBytes;
  } else if (type < COMMIT || type > TAG) {
    return null;
  }
  return startsZlib(bytes, at) ? { size, headerBytes: at } : null;
}

function startsZlib(bytes: Uint8Array, at: number): boolean {
  return at + 2 <= bytes.length && isZlibHeader(byteAt(bytes, at), byteAt(bytes, at + 1));
}
