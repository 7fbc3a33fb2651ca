import { BIG_ENDIAN, LITTLE_ENDIAN } from '../integers.ts';
import type { Integers } from '../integers.ts';

/** The longest header of a thin Mach-O file, in bytes. */
export const MACHO_HEADER_BYTES = 32;
/** Bytes of a fat header, before its architectures. */
export const FAT_HEADER_BYTES = 8;

/** Header of a thin Mach-O file. Source: Apple's `mach-o/loader.h`, `mach_header`, `mach_header_64`. */
export interface MachoHeader {
  readonly wide: boolean;
  readonly integers: Integers;
  /** Bytes of the header itself; the load commands follow it. */
  readonly bytes: number;
  readonly commandCount: number;
  readonly commandBytes: number;
}

/** The header at the start of `head`, or null where there is none. */
export function parseMachoHeader(head: Uint8Array): MachoHeader | null {
  if (head.length < 28) return null;
  const magic = BIG_ENDIAN.u32(head, 0);
  const wide = magic === 0xfeedfacf || magic === 0xcffaedfe;
  if (!wide && magic !== 0xfeedface && magic !== 0xcefaedfe) return null;
  const bytes = wide ? 32 : 28;
  if (head.length < bytes) return null;
  const integers = magic === 0xfeedface || magic === 0xfeedfacf ? BIG_ENDIAN : LITTLE_ENDIAN;
  return {
    wide,
    integers,
    bytes,
    commandCount: integers.u32(head, 16),
    commandBytes: integers.u32(head, 20),
  };
}

/** Header of a fat file, always big endian. Source: Apple's `mach-o/fat.h`. */
export interface FatHeader {
  readonly wide: boolean;
  readonly count: number;
  /** Bytes of one architecture's entry. */
  readonly entryBytes: number;
}

/**
 * The fat header at the start of `head`, or null where there is none. Java class files share the
 * 32-bit form's magic; their eleventh byte is the first constant's tag and never 0, where a fat
 * file has a byte of the first architecture's CPU type that is 0 for every CPU.
 */
export function parseFatHeader(head: Uint8Array): FatHeader | null {
  if (head.length < FAT_HEADER_BYTES + 4) return null;
  const magic = BIG_ENDIAN.u32(head, 0);
  const wide = magic === 0xcafebabf;
  if (!wide && (magic !== 0xcafebabe || head[10] !== 0)) return null;
  return { wide, count: BIG_ENDIAN.u32(head, 4), entryBytes: wide ? 32 : 20 };
}

/** Where one architecture's file lies in a fat file. */
export function parseSlice(fat: FatHeader, bytes: Uint8Array, at: number): { offset: number; size: number } {
  return fat.wide
    ? { offset: BIG_ENDIAN.u64(bytes, at + 8), size: BIG_ENDIAN.u64(bytes, at + 16) }
    : { offset: BIG_ENDIAN.u32(bytes, at + 8), size: BIG_ENDIAN.u32(bytes, at + 12) };
}
