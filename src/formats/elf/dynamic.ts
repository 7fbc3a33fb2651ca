import { LIMITS } from '../../model/limits.ts';
import type { Carrier } from '../../model/facts.ts';
import type { Tables } from '../tables.ts';
import { eachEntry } from './entries.ts';
import { entryBytes } from './header.ts';
import type { ElfHeader } from './header.ts';

const DT_NULL = 0;
const DT_STRTAB = 5;
const DT_STRSZ = 10;

/**
 * Dynamic tags whose value is an offset in the string table.
 * Sources: gABI, chapter 5, "Dynamic Section"; glibc's elf.h for those by Sun.
 */
export const STRING_TAGS: ReadonlyMap<number, readonly [name: string, carrier: Carrier]> = new Map([
  [1, ['DT_NEEDED', 'needed']],
  [14, ['DT_SONAME', 'soname']],
  [15, ['DT_RPATH', 'rpath']],
  [29, ['DT_RUNPATH', 'runpath']],
  [0x6fff_fefa, ['DT_CONFIG', 'config']],
  [0x6fff_fefb, ['DT_DEPAUDIT', 'audit']],
  [0x6fff_fefc, ['DT_AUDIT', 'audit']],
  [0x7fff_fffd, ['DT_AUXILIARY', 'filter']],
  [0x7fff_fffe, ['DT_USED', 'needed']],
  [0x7fff_ffff, ['DT_FILTER', 'filter']],
]);

/** String tables followed for one dynamic section. Loaders take the last, one has no use for more. */
const MAX_STRING_TABLES = 4;

/** What one dynamic section says. */
export interface Dynamic {
  readonly strings: readonly { readonly tag: number; readonly value: number }[];
  /** Addresses of string tables, as DT_STRTAB gives them. */
  readonly stringTables: readonly bigint[];
  /** Bytes of the string table; the least where it is said more than once, Infinity where never. */
  readonly stringBytes: number;
  /** Whether DT_NULL was met. */
  readonly ended: boolean;
  /** Whether a fault, which is noted, kept it from being read to its end. */
  readonly faulty: boolean;
}

/**
 * Reads a dynamic section up to its DT_NULL.
 *
 * @param stated bytes that a header gives it
 * @param mapped bytes that are reachable: loaders do not look at what is stated, so they are read
 *   too when the stated bytes have no end
 */
export function readDynamic(
  tables: Tables,
  header: ElfHeader,
  offset: number,
  stated: number,
  mapped: number,
): Dynamic {
  const { wide, integers } = header;
  const size = entryBytes(wide).dynamic;
  const strings: { tag: number; value: number }[] = [];
  const stringTables: bigint[] = [];
  let stringBytes = Infinity;
  let ended = false;
  const visit = (block: Uint8Array, at: number): boolean => {
    // what is rounded is far above all tags
    const tag = wide ? integers.u64(block, at) : integers.u32(block, at);
    const valueAt = at + size / 2;
    if (tag === DT_NULL) {
      ended = true;
      return false;
    }
    const value = wide ? integers.u64(block, valueAt) : integers.u32(block, valueAt);
    if (STRING_TAGS.has(tag)) {
      if (strings.length >= LIMITS.binaryFields) {
        tables.corrupt(offset, `more than ${LIMITS.binaryFields} fields`);
        return false;
      }
      strings.push({ tag, value });
    } else if (tag === DT_STRSZ) {
      stringBytes = Math.min(stringBytes, value);
    } else if (tag === DT_STRTAB) {
      const address = integers.address(block, valueAt, wide);
      if (stringTables.includes(address)) return true;
      if (stringTables.length < MAX_STRING_TABLES) stringTables.push(address);
      else tables.corrupt(offset, 'too many string tables');
    }
    return true;
  };
  const entriesIn = (bytes: number): number =>
    Math.floor(Math.min(bytes, Math.max(tables.size - offset, 0)) / size);
  const first = entriesIn(stated);
  const all = Math.max(entriesIn(mapped), first);
  const what = 'dynamic section';
  let whole = eachEntry(tables, { offset, entryBytes: size, count: first }, what, visit);
  if (whole && !ended && all > first) {
    const rest = { offset: offset + first * size, entryBytes: size, count: all - first };
    whole = eachEntry(tables, rest, what, visit);
  }
  return { strings, stringTables, stringBytes, ended, faulty: !whole };
}
