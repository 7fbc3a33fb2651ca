import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { BinaryFacts, Range, RangeReader } from '../ranges.ts';
import { boundedRanges, Tables } from '../tables.ts';
import { collectDebug, debugDataRanges, directoryBytes, parseDebugDirectory } from './debug.ts';
import {
  DOS_HEADER_BYTES,
  FILE_HEADER_BYTES,
  fileOffsetsOf,
  parseOptionalHeader,
  parsePeHeader,
  parsePeSection,
  peOffset,
  SECTION_HEADER_BYTES,
} from './header.ts';
import type { PeHeader, PeSection } from './header.ts';

/** Sections are written in whole blocks; some linkers leave the end of the last one out. */
const BLOCK_BYTES = 4096;
/** Bytes of a long section name that are read. */
const NAME_BYTES = 255;

/**
 * What the tables of a PE file (Windows, UEFI, .NET) say: the paths of its PDB files, and its
 * sections (those that have bytes in the file). An embedded PDB counts as a section. Whatever the
 * file says, the work is bounded and nothing is thrown.
 *
 * @returns null where there is no valid header (as in a DOS program): then the file is just bytes
 */
export function readPe(reader: RangeReader): BinaryFacts | null {
  const tables = new Tables(reader);
  if (reader.size < DOS_HEADER_BYTES) return null;
  const dos = tables.read(0, DOS_HEADER_BYTES, 'DOS header');
  if (dos !== null) {
    const at = peOffset(dos);
    if (at === null || !tables.holds(at, FILE_HEADER_BYTES)) return null;
    const bytes = tables.read(at, FILE_HEADER_BYTES, 'PE header');
    if (bytes !== null) {
      const header = parsePeHeader(bytes, at);
      if (header === null) return null;
      collect(tables, header);
    }
  }
  return { format: 'pe', fields: tables.fields, sections: tables.sections, faults: tables.faults };
}

function collect(tables: Tables, header: PeHeader): void {
  const { offset, count } = header.sections;
  const table = tables.read(offset, count * SECTION_HEADER_BYTES, 'section headers');
  const sections = table === null ? [] : sectionsIn(table, count);
  for (const section of sections) collectSection(tables, header, section);
  const bytes = tables.read(header.optional.offset, header.optional.bytes, 'optional header');
  const optional = bytes === null ? null : parseOptionalHeader(bytes);
  if (optional?.debug) collectDebug(tables, optional.debug, sections, optional.headerBytes);
}

function sectionsIn(table: Uint8Array, count: number): PeSection[] {
  return Array.from({ length: count }, (_, k) => parsePeSection(table, k * SECTION_HEADER_BYTES));
}

function collectSection(tables: Tables, header: PeHeader, section: PeSection): void {
  const { offset } = section;
  if (offset === 0 || section.size === 0) return;
  const size = Math.min(section.size, Math.max(tables.size - offset, 0));
  if (section.size - size >= BLOCK_BYTES) tables.corrupt(offset, 'section outside the file');
  if (size === 0) return;
  const name = nameOf(tables, header, section);
  tables.section({ name, offset, size, compressed: name.startsWith('.zdebug') ? 'zdebug' : null });
}

/** A section's name, which for GNU tools may stand behind the symbols: `/` and its offset there. */
function nameOf(tables: Tables, header: PeHeader, section: PeSection): ByteString {
  const short = textOf(section.name);
  if (header.longNames === null || !/^\/\d{1,7}$/.test(short)) return short;
  const at = header.longNames + Number(short.slice(1));
  if (!tables.holds(at, 1)) {
    tables.corrupt(at, 'section name outside the file');
    return short;
  }
  const bytes = tables.read(at, Math.min(NAME_BYTES, tables.size - at), 'section name');
  return bytes === null ? short : textOf(bytes);
}

function textOf(bytes: Uint8Array): ByteString {
  const nul = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, nul < 0 ? bytes.length : nul));
}

/** Bytes after the start of the debug directory that are kept where its entries lie behind the head. */
const DEBUG_GUESS_BYTES = 1024 * 1024;

/**
 * The ranges behind the head that {@link readPe} will ask for, as far as the head tells. Where the
 * debug directory itself lies behind it, its data are taken to stand near it, as linkers put them.
 *
 * @param head the first min(size, LIMITS.binaryHeadBytes) bytes of the file
 * @param size of the file
 * @returns in ascending order, apart from one another, LIMITS.binaryTableBytes in all
 */
export function planPe(head: Uint8Array, size: number): Range[] {
  const at = peOffset(head);
  if (at === null) return [];
  const header = parsePeHeader(head.subarray(at, at + FILE_HEADER_BYTES), at);
  if (header === null) return [];
  const { offset, count } = header.sections;
  const table = head.subarray(offset, offset + count * SECTION_HEADER_BYTES);
  if (table.length < count * SECTION_HEADER_BYTES) return [];
  const sections = sectionsIn(table, count);
  const wanted: Range[] = [];
  const optional = parseOptionalHeader(
    head.subarray(header.optional.offset, header.optional.offset + header.optional.bytes),
  );
  if (optional?.debug) {
    const { debug, headerBytes } = optional;
    for (const place of fileOffsetsOf(debug.address, sections, headerBytes)) {
      const end = place + directoryBytes(debug);
      if (end <= head.length) {
        const entries = parseDebugDirectory(head.subarray(place, end), sections, headerBytes);
        wanted.push(...entries.flatMap(debugDataRanges));
      } else {
        const start = Math.max(place - DEBUG_GUESS_BYTES, 0);
        wanted.push({ offset: start, length: end + DEBUG_GUESS_BYTES - start });
      }
    }
  }
  if (header.longNames !== null) wanted.push({ offset: header.longNames, length: LIMITS.chunkBytes });
  return boundedRanges(wanted, head.length, size);
}
