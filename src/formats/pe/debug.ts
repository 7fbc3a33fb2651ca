import { LITTLE_ENDIAN } from '../integers.ts';
import type { Range } from '../ranges.ts';
import type { Tables } from '../tables.ts';
import { fileOffsetsOf } from './header.ts';
import type { ImageRange, PeSection } from './header.ts';

const { u32 } = LITTLE_ENDIAN;

/** Bytes of one entry of the debug directory. */
const ENTRY_BYTES = 28;
/** Entries that are read; linkers write fewer than ten. */
const MAX_ENTRIES = 256;

const CODEVIEW = 2;
const EMBEDDED_PDB = 17;

/**
 * Signatures of CodeView data and where its path begins: the newer form has a GUID, the older a
 * timestamp. Sources: LLVM, `CVDebugRecord.h`; .NET, "PE/COFF Specification" (PE-COFF.md).
 */
const SIGNATURES: ReadonlyMap<number, number> = new Map([
  [0x5344_5352, 24], // RSDS
  [0x3031_424e, 16], // NB10
]);
/** `MPDB` and the size of what is packed behind it. */
const EMBEDDED_SIGNATURE = 0x4244_504d;
const EMBEDDED_HEADER_BYTES = 8;

/** Bytes of CodeView data that are read: far more than any file system's longest path. */
const CODEVIEW_BYTES = 64 * 1024;

/** An entry of the debug directory: its data, by each of the places that it names. */
export interface DebugEntry {
  readonly type: number;
  readonly bytes: number;
  readonly offsets: readonly number[];
}

/** The entries of a debug directory. Debuggers go by file offset, loaders by address: where they differ, both. */
export function parseDebugDirectory(
  bytes: Uint8Array,
  sections: readonly PeSection[],
  headerBytes: number,
): DebugEntry[] {
  const entries: DebugEntry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const type = u32(bytes, at + 12);
    if (type !== CODEVIEW && type !== EMBEDDED_PDB) continue;
    const address = u32(bytes, at + 20);
    const offset = u32(bytes, at + 24);
    const byAddress = address === 0 ? [] : fileOffsetsOf(address, sections, headerBytes);
    const offsets = new Set(offset === 0 ? byAddress : [offset, ...byAddress]);
    entries.push({ type, bytes: u32(bytes, at + 16), offsets: [...offsets] });
  }
  return entries;
}

/** The ranges that {@link collectDebug} reads of the data of an entry. */
export function debugDataRanges({ type, bytes, offsets }: DebugEntry): Range[] {
  const length = Math.min(bytes, type === CODEVIEW ? CODEVIEW_BYTES : EMBEDDED_HEADER_BYTES);
  return offsets.map((offset) => ({ offset, length }));
}

/** Bytes of a debug directory that are read. */
export const directoryBytes = (debug: ImageRange): number => Math.min(debug.bytes, MAX_ENTRIES * ENTRY_BYTES);

/** Reads the debug directory: PDB paths become fields, an embedded PDB a packed section. */
export function collectDebug(
  tables: Tables,
  debug: ImageRange,
  sections: readonly PeSection[],
  headerBytes: number,
): void {
  const places = fileOffsetsOf(debug.address, sections, headerBytes);
  // A file of split debug information keeps the headers of sections that it does not have.
  const empty = sections.some(
    ({ address, memoryBytes, size }) =>
      size === 0 && debug.address >= address && debug.address - address < memoryBytes,
  );
  if (places.length === 0 && !empty) tables.corrupt(0, 'debug directory outside the sections');
  for (const offset of places) {
    if (debug.bytes > directoryBytes(debug)) tables.corrupt(offset, `more than ${MAX_ENTRIES} debug entries`);
    const bytes = tables.read(offset, directoryBytes(debug), 'debug directory');
    if (bytes === null) continue;
    for (const entry of parseDebugDirectory(bytes, sections, headerBytes)) collectEntry(tables, entry);
  }
}

function collectEntry(tables: Tables, entry: DebugEntry): void {
  for (const { offset, length } of debugDataRanges(entry)) {
    const data = tables.read(offset, length, 'debug data');
    if (data === null) continue;
    const signature = data.length < 4 ? 0 : u32(data, 0);
    if (entry.type === CODEVIEW) {
      const start = SIGNATURES.get(signature) ?? data.length;
      const nul = data.indexOf(0, start);
      const end = nul < 0 ? data.length : nul;
      if (end > start) tables.field('pdb', 'PDB path', offset + start, end - start);
      if (nul < 0 && entry.bytes > CODEVIEW_BYTES && start < data.length) {
        tables.corrupt(offset, `PDB path longer than ${CODEVIEW_BYTES} bytes`);
      }
    } else if (signature === EMBEDDED_SIGNATURE && data.length === EMBEDDED_HEADER_BYTES) {
      if (!tables.holds(offset, entry.bytes)) tables.corrupt(offset, 'embedded PDB outside the file');
      else tables.section({ name: 'embedded PDB', offset, size: entry.bytes, compressed: 'mpdb' });
    } else {
      tables.corrupt(offset, 'embedded PDB without its signature');
    }
  }
}
