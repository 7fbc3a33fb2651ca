import type { ContainerFault } from '../container.ts';
import { BIG_ENDIAN, byteAt, LITTLE_ENDIAN } from '../integers.ts';
import { faultOf } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt } from '../zlib/piece.ts';

/** Records do not cross the borders of these. */
export const SECTOR_BYTES = 2048;
/** A record with a name of one byte. */
const LEAST_BYTES = 34;
/** Bytes of a record before its name. */
const FIXED_BYTES = 33;

export const FLAG = { directory: 0x02, more: 0x80 } as const;

/** One record of a directory (ECMA-119, 9.1). */
export interface DirectoryRecord {
  /** Offset of the record in the image. */
  readonly at: number;
  /** Block in which the extent begins, behind its extended attributes. */
  readonly block: number;
  /** Bytes of the extent. */
  readonly size: number;
  readonly flags: number;
  /** Whether the extent has gaps: other files lie between its parts. */
  readonly interleaved: boolean;
  readonly name: Buffer;
  /** What stands behind the name: SUSP fields, for instance. */
  readonly systemUse: Buffer;
  /** Two copies of a number differ: programs of other machines read another one. */
  readonly ambiguous: boolean;
}

/** Whether it stands for the directory itself, or for the one that holds it. */
export function isSelfOrParent({ flags, name }: DirectoryRecord): boolean {
  return (flags & FLAG.directory) !== 0 && name.length === 1 && byteAt(name, 0) <= 1;
}

/** The record that begins at `start` of `bytes`, which lie at offset `origin` of the image; null: none does. */
export function readRecord(bytes: Buffer, start: number, origin: number): DirectoryRecord | null {
  const length = byteAt(bytes, start);
  const nameBytes = byteAt(bytes, start + 32);
  if (length < LEAST_BYTES || start + length > bytes.length) return null;
  if (nameBytes === 0 || FIXED_BYTES + nameBytes > length) return null;
  const nameEnd = start + FIXED_BYTES + nameBytes;
  const end = start + length;
  const block = LITTLE_ENDIAN.u32(bytes, start + 2);
  const size = LITTLE_ENDIAN.u32(bytes, start + 10);
  return {
    at: origin + start,
    block: block + byteAt(bytes, start + 1),
    size,
    flags: byteAt(bytes, start + 25),
    interleaved: bytes[start + 26] !== 0 || bytes[start + 27] !== 0,
    name: bytes.subarray(start + FIXED_BYTES, nameEnd),
    // names of an even length are filled up
    systemUse: bytes.subarray(Math.min(end, nameEnd + (nameBytes % 2 === 0 ? 1 : 0)), end),
    ambiguous: block !== BIG_ENDIAN.u32(bytes, start + 6) || size !== BIG_ENDIAN.u32(bytes, start + 14),
  };
}

/**
 * The records of the directory that fills the bytes [from, from + size) of an image. Behind the last
 * one of a block come zeros, and records again in the next.
 * @throws NarScanError CONTAINER_UNREADABLE
 */
export function* recordsOf(
  reader: RangeReader,
  from: number,
  size: number,
  blockBytes: number,
): Generator<DirectoryRecord | ContainerFault, void, undefined> {
  const end = Math.min(from + size, reader.size);
  if (end < from + size) yield faultOf('truncated', from, 'a directory lies outside the image');
  let next = from;
  for (let origin = from; origin < end; origin = next) {
    next = Math.min(end, origin + SECTOR_BYTES - (origin % SECTOR_BYTES));
    // what is handed out must last while others read
    const sector = Buffer.from(bytesAt(reader, origin, next - origin));
    for (let at = 0; at < sector.length;) {
      if (sector[at] === 0) {
        at += blockBytes - (at % blockBytes);
        continue;
      }
      const record = readRecord(sector, at, origin);
      if (record === null) {
        yield faultOf('corrupt', origin + at, 'no record of a directory begins here');
        break;
      }
      yield record;
      at += byteAt(sector, at);
    }
  }
}
