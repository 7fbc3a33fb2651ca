import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { ContainerItem } from '../container.ts';
import { byteAt, LITTLE_ENDIAN } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { documentName } from './documentName.ts';

const { u16, u32 } = LITTLE_ENDIAN;

const MAGIC = 0x424a_5342;
/** Bytes of the root before its version, and behind it. */
const ROOT_BYTES = 16;
const STREAM_COUNT_BYTES = 4;
const MAX_VERSION_BYTES = 256;
const MAX_STREAMS = 16;
/** Offset, size, and a name of up to 32 bytes. */
const STREAM_HEADER_BYTES = 8 + 32;

const TABLES_HEADER_BYTES = 24;
const DOCUMENT_TABLE = 0x30;
/** Bits of the byte that says which heaps have indexes of four bytes. */
const LARGE_GUIDS = 0x02;
const LARGE_BLOBS = 0x04;
const ROWS_AT_ONCE = 4096;
/** What a document may have on average of a list of parts that another one has too. */
const SHARED_NAME_BYTES = 64;

interface Stream {
  readonly offset: number;
  readonly size: number;
}

/**
 * The names of the source files in a .NET debug file (portable PDB): one member, a NUL behind each
 * name. In the file a name is a list of its parts, each of which is kept once, so no search over
 * its bytes sees a path.
 *
 * Sources: .NET, "Portable PDB v1.0: Format Specification"; ECMA-335, II.24.2.
 *
 * @throws NarScanError CONTAINER_TRUNCATED, CONTAINER_CORRUPT, CONTAINER_UNREADABLE, CONTAINER_LIMIT
 */
export async function* readPortablePdb(reader: RangeReader): AsyncGenerator<ContainerItem, void, undefined> {
  yield {
    item: 'member',
    name: 'documents',
    type: 'file',
    target: '',
    offset: 0,
    stored: false,
    contents: documentNames(reader),
  };
}

async function* documentNames(reader: RangeReader): AsyncGenerator<Uint8Array, void, undefined> {
  const streams = readStreams(reader);
  const tables = streams.get('#~');
  if (tables === undefined) throw corrupt(0, 'no tables');
  const header = bytesAt(reader, tables.offset, TABLES_HEADER_BYTES);
  const heaps = byteAt(header, 6);
  const present = LITTLE_ENDIAN.address(header, 8, true);
  if ((present & ((1n << BigInt(DOCUMENT_TABLE)) - 1n)) !== 0n) {
    throw corrupt(tables.offset, 'tables of a program, which belong into the program');
  }
  if ((present & (1n << BigInt(DOCUMENT_TABLE))) === 0n) return;
  let tableCount = 0;
  for (let bits = present; bits > 0n; bits >>= 1n) tableCount += Number(bits & 1n);
  const rows = u32(bytesAt(reader, tables.offset + TABLES_HEADER_BYTES, 4), 0);

  const heap = streams.get('#Blob');
  if (heap === undefined) throw corrupt(0, 'no names');
  if (heap.size > LIMITS.binaryReadBytes) {
    throw new NarScanError('CONTAINER_LIMIT', `names of more than ${LIMITS.binaryReadBytes} bytes`);
  }
  const blobs = bytesAt(reader, heap.offset, heap.size).slice();
  const blobBytes = (heaps & LARGE_BLOBS) === 0 ? 2 : 4;
  const rowBytes = 2 * blobBytes + 2 * ((heaps & LARGE_GUIDS) === 0 ? 2 : 4);
  const first = tables.offset + TABLES_HEADER_BYTES + 4 * tableCount;
  if (first + rows * rowBytes > tables.offset + tables.size)
    throw corrupt(first, 'more documents than bytes');
  const budget = { left: blobs.length + rows * SHARED_NAME_BYTES };
  for (let row = 0; row < rows; row += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - row);
    const table = bytesAt(reader, first + row * rowBytes, count * rowBytes).slice();
    for (let k = 0; k < count; k += 1) {
      const at = k * rowBytes;
      yield documentName(blobs, blobBytes === 2 ? u16(table, at) : u32(table, at), budget);
    }
  }
}

/** The streams of the metadata by name. The first of a name counts. */
function readStreams(reader: RangeReader): ReadonlyMap<string, Stream> {
  const root = bytesAt(reader, 0, ROOT_BYTES);
  if (u32(root, 0) !== MAGIC) throw corrupt(0, 'does not begin as the format does');
  const versionBytes = u32(root, 12);
  if (versionBytes > MAX_VERSION_BYTES) throw corrupt(12, 'a version that is too long');
  const countAt = ROOT_BYTES + versionBytes;
  const count = u16(bytesAt(reader, countAt, STREAM_COUNT_BYTES), 2);
  if (count > MAX_STREAMS) throw corrupt(countAt, `${count} streams`);
  const streams = new Map<string, Stream>();
  let at = countAt + STREAM_COUNT_BYTES;
  for (let k = 0; k < count; k += 1) {
    const header = bytesAt(reader, at, Math.max(Math.min(STREAM_HEADER_BYTES, reader.size - at), 9));
    const nul = header.indexOf(0, 8);
    if (nul < 0) throw corrupt(at, 'a stream without a name');
    const stream = { offset: u32(header, 0), size: u32(header, 4) };
    if (stream.offset + stream.size > reader.size) {
      throw new NarScanError('CONTAINER_TRUNCATED', 'portable PDB: a stream ends early', {
        offset: reader.size,
      });
    }
    const name = String.fromCharCode(...header.subarray(8, nul));
    if (!streams.has(name)) streams.set(name, stream);
    at += 8 + 4 * Math.ceil((nul + 1 - 8) / 4);
  }
  return streams;
}

/** Valid until the next call. */
function bytesAt(reader: RangeReader, offset: number, length: number): Uint8Array {
  if (offset + length > reader.size) {
    throw new NarScanError('CONTAINER_TRUNCATED', 'portable PDB: ends early', { offset: reader.size });
  }
  const bytes = reader.read(offset, length);
  if (bytes === null)
    throw new NarScanError('CONTAINER_UNREADABLE', `no bytes at offset ${offset}`, { offset });
  return bytes;
}

function corrupt(offset: number, what: string): NarScanError {
  return new NarScanError('CONTAINER_CORRUPT', `portable PDB: ${what}`, { offset });
}
