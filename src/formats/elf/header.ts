import { BIG_ENDIAN, LITTLE_ENDIAN } from '../integers.ts';
import type { Integers } from '../integers.ts';

/** The longest ELF header, in bytes. */
export const ELF_HEADER_BYTES = 64;

/** What the ELF header says about where the tables lie. Source: System V gABI, chapter 4, "ELF Header". */
export interface ElfHeader {
  /** Bytes of the header itself. */
  readonly bytes: number;
  /** 64-bit class. */
  readonly wide: boolean;
  readonly integers: Integers;
  readonly segments: { readonly offset: number; readonly entryBytes: number; readonly count: number };
  readonly sections: { readonly offset: number; readonly entryBytes: number; readonly count: number };
  /** Index of the section that holds the section names. */
  readonly namesIndex: number;
}

/** Bytes of one program header, section header, dynamic entry of a class. */
export const entryBytes = (wide: boolean): { segment: number; section: number; dynamic: number } =>
  wide ? { segment: 56, section: 64, dynamic: 16 } : { segment: 32, section: 40, dynamic: 8 };

/**
 * The ELF header at the start of `head`, or null where there is none: wrong magic, class or byte
 * order, or fewer bytes than a header. The identification's version is not asked for: the kernel
 * does not look at it either.
 */
export function parseElfHeader(head: Uint8Array): ElfHeader | null {
  if (head.length < 52 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46) {
    return null;
  }
  const wide = head[4] === 2;
  if ((!wide && head[4] !== 1) || (wide && head.length < ELF_HEADER_BYTES)) return null;
  if (head[5] !== 1 && head[5] !== 2) return null;
  const integers = head[5] === 1 ? LITTLE_ENDIAN : BIG_ENDIAN;
  const { u16 } = integers;
  const counts = wide ? 54 : 42;
  return {
    bytes: wide ? ELF_HEADER_BYTES : 52,
    wide,
    integers,
    segments: {
      offset: wide ? integers.u64(head, 32) : integers.u32(head, 28),
      entryBytes: u16(head, counts),
      count: u16(head, counts + 2),
    },
    sections: {
      offset: wide ? integers.u64(head, 40) : integers.u32(head, 32),
      entryBytes: u16(head, counts + 4),
      count: u16(head, counts + 6),
    },
    namesIndex: u16(head, counts + 8),
  };
}
