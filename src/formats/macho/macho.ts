import { LIMITS } from '../../model/limits.ts';
import type { BinaryFacts, Range, RangeReader } from '../ranges.ts';
import { boundedRanges, Tables } from '../tables.ts';
import { collectCommand } from './commands.ts';
import {
  FAT_HEADER_BYTES,
  MACHO_HEADER_BYTES,
  parseFatHeader,
  parseMachoHeader,
  parseSlice,
} from './header.ts';
import type { FatHeader, MachoHeader } from './header.ts';

/**
 * What the load commands of a Mach-O file say: paths of libraries, of the loader, of search
 * directories, and its sections (those that have bytes in the file). Thin files of 32 and 64 bit in
 * both byte orders, and fat files of both kinds. Whatever the file says, the work is bounded and
 * nothing is thrown.
 *
 * @returns null where there is no valid header (or that of a Java class): then the file is just bytes
 */
export function readMacho(reader: RangeReader): BinaryFacts | null {
  const tables = new Tables(reader);
  const head = tables.read(0, Math.min(MACHO_HEADER_BYTES, reader.size), 'Mach-O header');
  if (head !== null) {
    const thin = parseMachoHeader(head);
    const fat = thin === null ? parseFatHeader(head) : null;
    if (thin !== null) collectCommands(tables, thin, 0, reader.size);
    else if (fat !== null) collectSlices(tables, fat);
    else return null;
  }
  return { format: 'macho', fields: tables.fields, sections: tables.sections, faults: tables.faults };
}

/** Architectures followed; the kernel reads one page of them, which is 203. */
const MAX_SLICES = 256;

function collectSlices(tables: Tables, fat: FatHeader): void {
  if (fat.count > MAX_SLICES) tables.corrupt(0, `more than ${MAX_SLICES} architectures`);
  const bytes = tables.read(FAT_HEADER_BYTES, Math.min(fat.count, MAX_SLICES) * fat.entryBytes, 'fat header');
  if (bytes === null) return;
  const slices = [];
  for (let at = 0; at < bytes.length; at += fat.entryBytes) slices.push(parseSlice(fat, bytes, at));
  for (const { offset, size } of slices) {
    if (!tables.holds(offset, size)) {
      tables.corrupt(offset, 'architecture outside the file');
      if (!tables.holds(offset, 1)) continue;
    }
    const end = Math.min(offset + size, tables.size);
    const head = tables.read(offset, Math.min(MACHO_HEADER_BYTES, end - offset), 'Mach-O header');
    // Other content is legal: static libraries and bitcode come as slices too.
    const thin = head === null ? null : parseMachoHeader(head);
    if (thin !== null) collectCommands(tables, thin, offset, end);
  }
}

function collectCommands(tables: Tables, header: MachoHeader, start: number, end: number): void {
  const { integers, wide, commandCount } = header;
  const first = start + header.bytes;
  let length = header.commandBytes;
  if (first + length > end) {
    tables.corrupt(first, 'load commands outside the file');
    length = Math.max(end - first, 0);
  }
  if (length > LIMITS.binaryTableBytes) {
    tables.corrupt(first, `load commands larger than ${LIMITS.binaryTableBytes} bytes`);
    length = LIMITS.binaryTableBytes;
  }
  const bytes = tables.read(first, length, 'load commands');
  if (bytes === null) return;
  const slice = { offset: start, wide, integers };
  let at = 0;
  for (let k = 0; k < commandCount; k += 1) {
    const size = at + 8 <= length ? integers.u32(bytes, at + 4) : 0;
    if (size < 8 || at + size > length) {
      tables.corrupt(first + at, 'load command outside its table');
      return;
    }
    collectCommand(tables, slice, bytes.subarray(at, at + size), first + at);
    at += size;
  }
}

/** Load commands of an architecture behind the head, whose true size is not known yet. */
const COMMANDS_GUESS = 256 * 1024;

/**
 * The ranges behind the head that {@link readMacho} will ask for: the load commands, of every
 * architecture of a fat file.
 *
 * @param head the first min(size, LIMITS.binaryHeadBytes) bytes of the file
 * @param size of the file
 * @returns in ascending order, apart from one another, LIMITS.binaryTableBytes in all
 */
export function planMacho(head: Uint8Array, size: number): Range[] {
  const thin = parseMachoHeader(head);
  if (thin !== null) {
    return boundedRanges([{ offset: thin.bytes, length: thin.commandBytes }], head.length, size);
  }
  const fat = parseFatHeader(head);
  if (fat === null) return [];
  const inHead = Math.floor((head.length - FAT_HEADER_BYTES) / fat.entryBytes);
  const count = Math.min(fat.count, inHead, LIMITS.binaryTableBytes / 4096);
  const wanted: Range[] = [];
  for (let k = 0; k < count; k += 1) {
    const slice = parseSlice(fat, head, FAT_HEADER_BYTES + k * fat.entryBytes);
    const share = Math.floor(LIMITS.binaryTableBytes / count);
    wanted.push({ offset: slice.offset, length: Math.min(slice.size, COMMANDS_GUESS, share) });
  }
  return boundedRanges(wanted, head.length, size);
}
