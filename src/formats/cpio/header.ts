import type { MemberType } from '../container.ts';
import { BIG_ENDIAN, byteAt, LITTLE_ENDIAN } from '../integers.ts';
import { byteStringOf } from '../memberBody.ts';
import { isCpio } from '../plausible.ts';

/** `newc` and its twin with checksums, POSIX's `odc`, and the old binary header of either byte order. */
export type CpioFormat = 'newc' | 'crc' | 'odc' | 'little' | 'big';

export interface CpioHeader {
  readonly format: CpioFormat;
  /** Bytes of the header itself. */
  readonly length: number;
  /** Headers with their names, and contents, are filled up to multiples of this. */
  readonly alignment: number;
  readonly mode: number;
  /** With the NUL that ends it. */
  readonly nameBytes: number;
  readonly size: number;
  /** Sum of the bytes of a file; null where the format has none. */
  readonly sum: number | null;
}

/** The longest header. */
export const HEADER_BYTES = 110;

/** Reads the header at [at, at + length) as cpio(5) gives it; null where there is none. */
export function readHeader(bytes: Uint8Array, at: number, length: number): CpioHeader | null {
  if (!isCpio(bytes, at, length)) return null;
  if (bytes[at] !== 0x30) return binaryHeader(bytes, at);
  const kind = byteAt(bytes, at + 5);
  return kind === 0x37 ? odcHeader(bytes, at) : newcHeader(bytes, at, kind === 0x32);
}

function newcHeader(bytes: Uint8Array, at: number, crc: boolean): CpioHeader {
  const field = (index: number): number =>
    Number.parseInt(byteStringOf(bytes, at + 6 + 8 * index, at + 14 + 8 * index), 16);
  return {
    format: crc ? 'crc' : 'newc',
    length: 110,
    alignment: 4,
    mode: field(1),
    nameBytes: field(11),
    size: field(6),
    sum: crc ? field(12) : null,
  };
}

function odcHeader(bytes: Uint8Array, at: number): CpioHeader {
  const field = (from: number, length: number): number =>
    Number.parseInt(byteStringOf(bytes, at + from, at + from + length), 8);
  return {
    format: 'odc',
    length: 76,
    alignment: 1,
    mode: field(18, 6),
    nameBytes: field(59, 6),
    size: field(65, 11),
    sum: null,
  };
}

/** Numbers of four bytes are two halves, the higher one first whatever the byte order. */
function binaryHeader(bytes: Uint8Array, at: number): CpioHeader {
  const little = bytes[at] === 0xc7;
  const { u16 } = little ? LITTLE_ENDIAN : BIG_ENDIAN;
  return {
    format: little ? 'little' : 'big',
    length: 26,
    alignment: 2,
    mode: u16(bytes, at + 6),
    nameBytes: u16(bytes, at + 20),
    size: u16(bytes, at + 22) * 65_536 + u16(bytes, at + 24),
    sum: null,
  };
}

const TYPES: Readonly<Record<number, MemberType>> = {
  0o04: 'directory',
  0o10: 'file',
  0o12: 'symlink',
};

/** What the mode says a member is. */
export function typeOf(mode: number): MemberType {
  return TYPES[(mode >> 12) & 0o17] ?? 'special';
}
