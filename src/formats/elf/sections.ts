import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Packing } from '../ranges.ts';
import type { Tables } from '../tables.ts';
import { eachEntry } from './entries.ts';
import { entryBytes } from './header.ts';
import type { ElfHeader } from './header.ts';

export const SHT_NULL = 0;
export const SHT_DYNAMIC = 6;
export const SHT_NOBITS = 8;
const SHF_TLS = 0x400;
const SHF_COMPRESSED = 0x800;

/** A section header. Source: System V gABI, chapter 4, "Sections". */
export interface SectionHeader {
  readonly nameOffset: number;
  readonly type: number;
  /** The lowest 32 of them. */
  readonly flags: number;
  readonly address: number | bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

/** Parses the section header at `at`. */
export function parseSectionHeader(header: ElfHeader, bytes: Uint8Array, at: number): SectionHeader {
  const { wide, integers } = header;
  return {
    nameOffset: integers.u32(bytes, at),
    type: integers.u32(bytes, at + 4),
    flags: integers.lowest(bytes, at + 8, wide),
    address: integers.exact(bytes, at + (wide ? 16 : 12), wide),
    offset: wide ? integers.u64(bytes, at + 24) : integers.u32(bytes, at + 16),
    size: wide ? integers.u64(bytes, at + 32) : integers.u32(bytes, at + 20),
    link: integers.u32(bytes, at + (wide ? 40 : 24)),
    info: integers.u32(bytes, at + (wide ? 44 : 28)),
  };
}

/** The section headers, and the numbers that do not fit the ELF header and stand in the first of them. */
export interface SectionHeaders {
  readonly headers: readonly SectionHeader[];
  readonly namesIndex: number;
  readonly segmentCount: number;
}

const PN_XNUM = 0xffff;
const SHN_XINDEX = 0xffff;

/** Reads the section headers, which a file may lack. */
export function readSectionHeaders(tables: Tables, header: ElfHeader): SectionHeaders {
  const { offset, entryBytes: stride, count } = header.sections;
  const least = entryBytes(header.wide).section;
  const headers: SectionHeader[] = [];
  let { namesIndex } = header;
  let segmentCount = header.segments.count;
  if (offset > 0 && stride < least) {
    // Some tools that strip section headers leave the offset of a table of no entries.
    if (count > 0) tables.corrupt(offset, 'section headers of a wrong size');
  } else if (offset > 0 && (count > 0 || tables.holds(offset, stride))) {
    const bytes = tables.read(offset, least, 'section headers');
    const first = bytes === null ? null : parseSectionHeader(header, bytes, 0);
    if (first !== null) {
      if (namesIndex === SHN_XINDEX) namesIndex = first.link;
      if (segmentCount === PN_XNUM && first.info > 0) segmentCount = first.info;
      let entries = count > 0 ? count : first.size;
      if (entries > LIMITS.binarySections && tables.holds(offset, entries * stride)) {
        tables.corrupt(offset, `more than ${LIMITS.binarySections} sections`);
        entries = LIMITS.binarySections;
      }
      eachEntry(tables, { offset, entryBytes: stride, count: entries }, 'section headers', (block, at) => {
        headers.push(parseSectionHeader(header, block, at));
        return true;
      });
    }
  }
  return { headers, namesIndex, segmentCount };
}

/** The names of sections, cut to 255 bytes; '' where there is none to be had (and a fault, if it should be). */
export function readSectionNames(tables: Tables, { headers, namesIndex }: SectionHeaders): ByteString[] {
  const names = headers.map((): ByteString => '');
  if (namesIndex === 0 || headers.length === 0) return names;
  const table = headers[namesIndex];
  if (table === undefined || table.type === SHT_NOBITS || !tables.holds(table.offset, table.size)) {
    tables.corrupt(table?.offset ?? 0, 'section names outside the file');
    return names;
  }
  // A table of symbol names may double as this one and be huge: then a small window a name.
  const whole = table.size <= WHOLE_TABLE_BYTES ? textOf(tables, table.offset, table.size) : null;
  if (table.size <= WHOLE_TABLE_BYTES && whole === null) return names;
  for (let index = 0; index < headers.length; index += 1) {
    const { nameOffset, type } = headers[index] as SectionHeader;
    if (type === SHT_NULL) continue;
    if (nameOffset >= table.size) {
      tables.corrupt(table.offset, 'section name outside its table');
      continue;
    }
    if (whole !== null) {
      names[index] = nameAt(whole, nameOffset);
      continue;
    }
    const length = Math.min(NAME_BYTES + 1, table.size - nameOffset);
    const window = textOf(tables, table.offset + nameOffset, length);
    if (window === null) return names;
    names[index] = nameAt(window, 0);
  }
  return names;
}

/** A range of the section names as a byte string: one for all of them is cheaper than one each. */
function textOf(tables: Tables, offset: number, length: number): ByteString | null {
  const bytes = tables.read(offset, length, 'section names');
  if (bytes === null) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function nameAt(text: ByteString, start: number): ByteString {
  const longest = text.slice(start, start + NAME_BYTES);
  const nul = longest.indexOf('\0');
  return nul < 0 ? longest : longest.slice(0, nul);
}

const NAME_BYTES = 255;
const WHOLE_TABLE_BYTES = 1024 * 1024;

/** Sections that are compressed without saying so in their flags. */
const PACKED_BY_NAME: readonly { readonly prefix: string; readonly packing: Packing }[] = [
  // binutils' own form from before SHF_COMPRESSED
  { prefix: '.zdebug', packing: 'zdebug' },
  { prefix: '.gnu.lto_', packing: 'lto' },
  { prefix: '.gnu.offload_lto_', packing: 'lto' },
  { prefix: '.llvm.lto', packing: 'bitcode' },
  { prefix: '.llvmbc', packing: 'bitcode' },
  { prefix: '.rustc', packing: 'rustc' },
  // "MiniDebugInfo" of GDB's manual
  { prefix: '.gnu_debugdata', packing: 'xz' },
];
/** Their second characters, which tell nearly all others apart. */
const SECOND = new Set(PACKED_BY_NAME.map(({ prefix }) => prefix.charCodeAt(1)));

function packingByName(name: ByteString): Packing | null {
  if (!SECOND.has(name.charCodeAt(1))) return null;
  return PACKED_BY_NAME.find(({ prefix }) => name.startsWith(prefix))?.packing ?? null;
}

/** Bytes of Chdr.ch_type, the first field of a section that is compressed by its flags. */
export const COMPRESSION_TYPE_BYTES = 4;

export const isCompressed = (section: SectionHeader): boolean => (section.flags & SHF_COMPRESSED) !== 0;

/** How the bytes of a section are packed. Source: gABI, "Section Compression" (Chdr.ch_type). */
export function packingOf(
  tables: Tables,
  header: ElfHeader,
  section: SectionHeader,
  name: ByteString,
): Packing | null {
  if (section.size === 0) return null;
  if (isCompressed(section)) {
    const bytes = tables.read(section.offset, COMPRESSION_TYPE_BYTES, 'compression header');
    const type = bytes === null ? 0 : header.integers.u32(bytes, 0);
    return type === 1 ? 'zlib' : type === 2 ? 'zstd' : 'unknown';
  }
  return packingByName(name);
}

/**
 * Whether the section headers say that what is loaded at this address is not in the file, as in a
 * file of split debug information. (Thread-local zeros share addresses with what follows them.)
 */
export function isNotInFile(headers: readonly SectionHeader[], address: bigint): boolean {
  return headers.some(
    (section) => section.type === SHT_NOBITS && isAt(section, address) && (section.flags & SHF_TLS) === 0,
  );
}

/** Whether a section is loaded at this address. */
export function isAt(section: SectionHeader, address: bigint): boolean {
  return BigInt(section.address) === address;
}
