import { LIMITS } from '../../model/limits.ts';
import type { ContainerFault, ContainerItem, Member, RandomContainer } from '../container.ts';
import { streamOf } from '../container.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault, packedMember, PackedPiece } from '../zlib/piece.ts';
import { COOKIE_BYTES, COOKIE_MAGIC, readCookie, type Cookie } from './cookie.ts';

/** Its own length, where the data lie and how long they are packed and unpacked, a flag, a letter. */
const ROW_BYTES = 18;

/** Bytes at a file's end in which the record is looked for: a signature or section table may follow it. */
const TAIL_BYTES = 64 * 1024 + COOKIE_BYTES;

/** One row of an archive's table. */
interface Row {
  readonly name: string;
  /** Offset in the file. */
  readonly offset: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly packed: boolean;
}

/**
 * The archive behind a PyInstaller program (PyInstaller/archive/writers.py and readers.py,
 * CArchive): entries in zlib or as they are, told by a table that a record at the end leads to.
 */
export const readPyInstaller: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  const cookie = findCookie(reader);
  if (cookie === null) {
    yield packedFault('corrupt', reader.size, 'no record ends the archive');
    return;
  }
  const dataEnd = cookie.start + cookie.tableOffset;
  const tableEnd = dataEnd + cookie.tableBytes;
  for (let at = dataEnd; at < tableEnd;) {
    const read = readRow(reader, at, tableEnd, cookie.start);
    if (read === null) {
      yield packedFault('corrupt', at, 'no row of the table begins here');
      return;
    }
    at = read.next;
    if (read.row.offset + read.row.packedBytes > dataEnd) {
      yield { ...packedFault('corrupt', at, 'an entry ends behind the data'), member: read.row.name };
    } else if (read.row.packedBytes > 0) {
      yield* readEntry(reader, read.row);
    }
  }
};

/** The last record of the file that leads somewhere. */
function findCookie(reader: RangeReader): Cookie | null {
  const from = Math.max(0, reader.size - TAIL_BYTES);
  const tail = Buffer.from(bytesAt(reader, from, TAIL_BYTES));
  for (let at = tail.lastIndexOf(COOKIE_MAGIC, -1, 'latin1'); at >= 0;) {
    const cookie = readCookie(tail, at, from + at);
    if (cookie !== null || at === 0) return cookie;
    at = tail.lastIndexOf(COOKIE_MAGIC, at - 1, 'latin1');
  }
  return null;
}

/** The row at `at` and where the next one begins; null: it is none. */
function readRow(
  reader: RangeReader,
  at: number,
  tableEnd: number,
  start: number,
): { row: Row; next: number } | null {
  const head = bytesAt(reader, at, ROW_BYTES);
  const length = head.length < ROW_BYTES ? 0 : BIG_ENDIAN.u32(head, 0);
  const nameBytes = length - ROW_BYTES;
  if (nameBytes < 0 || nameBytes > LIMITS.archiveNameBytes || at + length > tableEnd) return null;
  const offset = start + BIG_ENDIAN.u32(head, 4);
  const packedBytes = BIG_ENDIAN.u32(head, 8);
  const bytes = BIG_ENDIAN.u32(head, 12);
  const packed = byteAt(head, 16) !== 0;
  const [name = ''] = Buffer.from(bytesAt(reader, at + ROW_BYTES, nameBytes))
    .toString('latin1')
    .split('\0', 1);
  return { row: { name, offset, packedBytes, bytes, packed }, next: at + length };
}

async function* readEntry(
  reader: RangeReader,
  { name, offset, packedBytes, bytes, packed }: Row,
): AsyncGenerator<ContainerItem, void, undefined> {
  const fault = (detail: string): ContainerFault => ({
    ...packedFault('corrupt', offset, detail),
    member: name,
  });
  if (!packed) {
    if (bytes !== packedBytes) yield fault('an entry that is not packed has two lengths');
    yield storedMember(name, offset, reader, packedBytes);
    return;
  }
  const end = offset + packedBytes;
  const piece = new PackedPiece('zlib', reader, offset, end);
  try {
    yield packedMember(name, offset, piece.contents());
    if (piece.end === null) return;
    if (piece.end < end) yield fault('bytes follow the zlib stream of an entry');
    if (piece.decoded !== bytes) yield fault('an entry has not the length that it says');
  } finally {
    await piece.close();
  }
}

function storedMember(name: string, offset: number, reader: RangeReader, length: number): Member {
  const contents = streamOf(reader, offset, length);
  return { item: 'member', name, type: 'file', target: '', offset, stored: true, contents };
}

/** Magic, Python's own magic, offset of the table, and five bytes that were once of use. */
const MODULES_HEAD_BYTES = 17;

/**
 * The modules of a PyInstaller program (PyInstaller/archive/writers.py, ZlibArchiveWriter): zlib
 * streams one after another up to a table, which Python marshals and which is not needed here.
 */
export const readPyInstallerModules: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  const end = BIG_ENDIAN.u32(bytesAt(reader, 0, MODULES_HEAD_BYTES), 8);
  if (end < MODULES_HEAD_BYTES) yield packedFault('corrupt', 0, 'the table of modules lies in the header');
  if (end > reader.size) yield packedFault('truncated', reader.size, 'the table of modules is missing');
  const limit = Math.min(end, reader.size);
  for (let at: number | null = MODULES_HEAD_BYTES; at !== null && at < limit;) {
    const piece: PackedPiece = new PackedPiece('zlib', reader, at, limit);
    try {
      yield piece.member();
      const fault = await piece.finish();
      if (fault !== null) yield fault;
      if (piece.end === null)
        yield packedFault('corrupt', at, 'the modules behind a damaged one are not found');
      at = piece.end;
    } finally {
      await piece.close();
    }
  }
};
