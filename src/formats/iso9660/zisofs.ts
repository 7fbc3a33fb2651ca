import { inflateSync } from 'node:zlib';
import { NarScanError } from '../../model/errors.ts';
import type { RandomContainer } from '../container.ts';
import { byteAt, LITTLE_ENDIAN } from '../integers.ts';
import { corrupt } from '../memberBody.ts';
import { isZisofs } from '../plausible.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault, packedMember } from '../zlib/piece.ts';

/** Bytes of the longer header. */
const HEADER_BYTES = 24;

interface Header {
  /** Bytes of the file when it is unpacked. */
  readonly size: number;
  readonly blockBytes: number;
  /** Where the table of pointers begins, and how long one is. */
  readonly table: number;
  readonly pointerBytes: 4 | 8;
}

/**
 * A file that is packed as zisofs (libisofs, doc/zisofs_format.txt and doc/zisofs2_format.txt): a
 * header, pointers, and for each block a zlib stream, or nothing where it is all zeros.
 */
export const readZisofs: RandomContainer = async function* (reader, end) {
  const head = bytesAt(reader, 0, HEADER_BYTES);
  const header = readHeader(head);
  if (header === null) {
    yield packedFault('unsupported', 0, 'blocks that are packed in an unknown way');
    return;
  }
  let reached = 0;
  const contents = blocks(reader, header, (offset) => {
    reached = offset;
  });
  // what stands behind its blocks, or between them, is looked at as in any content
  yield packedMember('zisofs', header.table, contents);
  if (reached > 0) end(reached);
};

function readHeader(head: Uint8Array): Header | null {
  if (!isZisofs(head, 0, head.length)) return null;
  const isSecond = head[0] === 0xef;
  if (isSecond && (head[8] !== 0 || head[10] !== 1)) return null;
  return {
    size: isSecond ? LITTLE_ENDIAN.u64(head, 12) : LITTLE_ENDIAN.u32(head, 8),
    blockBytes: 2 ** byteAt(head, isSecond ? 11 : 13),
    table: 4 * byteAt(head, isSecond ? 9 : 12),
    pointerBytes: isSecond ? 8 : 4,
  };
}

/**
 * The blocks of a file. One that is damaged is left out, and is an error when all others were read.
 * @param ended told where the last block ends
 */
async function* blocks(
  reader: RangeReader,
  { size, blockBytes, table, pointerBytes }: Header,
  ended: (offset: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const zeros = Buffer.alloc(Math.min(blockBytes, size));
  const count = Math.ceil(size / blockBytes);
  let last = table + (count + 1) * pointerBytes;
  let failure: NarScanError | null = null;
  for (let block = 0; block < count; block += 1) {
    const at = table + block * pointerBytes;
    const pointers = bytesAt(reader, at, 2 * pointerBytes);
    if (pointers.length < 2 * pointerBytes) throw endsEarly(at);
    const read = pointerBytes === 8 ? LITTLE_ENDIAN.u64 : LITTLE_ENDIAN.u32;
    const from = read(pointers, 0);
    const to = read(pointers, pointerBytes);
    const wanted = Math.min(blockBytes, size - block * blockBytes);
    if (from === to) {
      yield zeros.subarray(0, wanted);
      continue;
    }
    if (from < to && to > reader.size) {
      failure ??= endsEarly(from);
      continue;
    }
    const bytes = from < to && to - from <= 2 * blockBytes ? unpacked(reader, from, to, wanted) : null;
    if (bytes === null) failure ??= corrupt('zisofs', at, 'a block that cannot be unpacked');
    else yield bytes;
    last = Math.max(last, to);
  }
  if (failure !== null) throw failure;
  ended(Math.min(last, reader.size));
}

function endsEarly(offset: number): NarScanError {
  return new NarScanError('CONTAINER_TRUNCATED', `zisofs file ends before its blocks, at ${offset}`, {
    offset,
  });
}

/** A block, or null where it is damaged or of another size. */
function unpacked(reader: RangeReader, from: number, to: number, wanted: number): Uint8Array | null {
  try {
    const bytes = inflateSync(bytesAt(reader, from, to - from), { maxOutputLength: wanted });
    return bytes.length === wanted ? bytes : null;
  } catch {
    return null;
  }
}
