import { LITTLE_ENDIAN } from '../integers.ts';

const { u16, u32 } = LITTLE_ENDIAN;

/** Bytes of the DOS header, whose last word says where the PE header is. */
export const DOS_HEADER_BYTES = 64;
/** Bytes from the PE signature to the optional header. */
export const FILE_HEADER_BYTES = 24;
/** Bytes of one section header. */
export const SECTION_HEADER_BYTES = 40;
/** Bytes of one entry of the table of symbols, behind which the table of long names stands. */
const SYMBOL_BYTES = 18;
/** Index of the debug directory among the data directories. */
const DEBUG_DIRECTORY = 6;

/** Where the tables of a PE file lie. Source: Microsoft, "PE Format", and its COFF file header. */
export interface PeHeader {
  readonly optional: { readonly offset: number; readonly bytes: number };
  readonly sections: { readonly offset: number; readonly count: number };
  /** File offset of the names that are longer than eight bytes; null where there are none. */
  readonly longNames: number | null;
}

/** File offset of the PE signature, or null where no DOS header stands at the start of `head`. */
export function peOffset(head: Uint8Array): number | null {
  return head.length >= DOS_HEADER_BYTES && head[0] === 0x4d && head[1] === 0x5a ? u32(head, 60) : null;
}

/**
 * The PE header in `bytes`, or null where there is none.
 *
 * @param bytes FILE_HEADER_BYTES of them
 * @param offset of `bytes` in the file, by {@link peOffset}
 */
export function parsePeHeader(bytes: Uint8Array, offset: number): PeHeader | null {
  if (bytes.length < FILE_HEADER_BYTES || u32(bytes, 0) !== 0x0000_4550) return null;
  const optional = { offset: offset + FILE_HEADER_BYTES, bytes: u16(bytes, 20) };
  const symbols = u32(bytes, 12);
  return {
    optional,
    sections: { offset: optional.offset + optional.bytes, count: u16(bytes, 6) },
    longNames: symbols === 0 ? null : symbols + u32(bytes, 16) * SYMBOL_BYTES,
  };
}

/** A range of the loaded image. */
export interface ImageRange {
  /** Relative to where the image is loaded. */
  readonly address: number;
  readonly bytes: number;
}

/** What the optional header says. */
export interface OptionalHeader {
  /** Bytes at the start of the file that are loaded as they are. */
  readonly headerBytes: number;
  readonly debug: ImageRange | null;
}

/** Parses an optional header, of 32 or 64 bit; null where it is of another kind or too short for a debug directory. */
export function parseOptionalHeader(bytes: Uint8Array): OptionalHeader | null {
  const magic = u16(bytes, 0);
  const directories = magic === 0x10b ? 96 : magic === 0x20b ? 112 : null;
  if (directories === null || bytes.length < directories) return null;
  const count = u32(bytes, directories - 4);
  const at = directories + 8 * DEBUG_DIRECTORY;
  const named = count > DEBUG_DIRECTORY && at + 8 <= bytes.length;
  const debug = named ? { address: u32(bytes, at), bytes: u32(bytes, at + 4) } : null;
  return {
    headerBytes: u32(bytes, 60),
    debug: debug === null || debug.address === 0 || debug.bytes === 0 ? null : debug,
  };
}

/** A section header. */
export interface PeSection {
  /** Where a section's eight bytes of name are. */
  readonly name: Uint8Array;
  readonly address: number;
  /** Bytes in memory, which may be 0 or fewer than in the file. */
  readonly memoryBytes: number;
  readonly offset: number;
  /** Bytes in the file. */
  readonly size: number;
}

/** Parses the section header at `at`. */
export function parsePeSection(bytes: Uint8Array, at: number): PeSection {
  return {
    name: bytes.slice(at, at + 8),
    memoryBytes: u32(bytes, at + 8),
    address: u32(bytes, at + 12),
    size: u32(bytes, at + 16),
    offset: u32(bytes, at + 20),
  };
}

/** File offsets at which an address of the image lies, by every section that holds it. */
export function fileOffsetsOf(
  address: number,
  sections: readonly PeSection[],
  headerBytes: number,
): readonly number[] {
  const offsets = sections
    .filter((section) => address >= section.address && address - section.address < section.size)
    .map((section) => section.offset + (address - section.address));
  return offsets.length === 0 && address < headerBytes ? [address] : offsets;
}
