import type { ByteString } from '../../model/bytes.ts';
import type { Window } from './window.ts';

export const LOCAL_SIGNATURE = 0x0403_4b50;
export const CENTRAL_SIGNATURE = 0x0201_4b50;
export const LOCAL_BYTES = 30;
export const CENTRAL_BYTES = 46;

export const FLAG = {
  encrypted: 0x0001,
  /** LZMA: the stream has an end mark. */
  endMark: 0x0002,
  /** Sizes and CRC stand in a data descriptor behind the data. */
  descriptor: 0x0008,
  strong: 0x0040,
  utf8: 0x0800,
  maskedHeader: 0x2000,
} as const;

/** In a field of 32 bits: the value stands in the ZIP64 extra field. */
export const WIDE = 0xffff_ffff;
const ZIP64_EXTRA = 1;

export const METHOD = { stored: 0, deflate: 8, bzip2: 12, lzma: 14, zstd: 93, xz: 95 } as const;

/** What either header of a member says of it. */
export interface MemberHeader {
  readonly name: ByteString;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes of the content. */
  readonly size: number;
}

export interface LocalHeader extends MemberHeader {
  /** Offset of the member's data. */
  readonly data: number;
  /** A size stands in the ZIP64 extra field, so the data descriptor has 64-bit ones. */
  readonly wide: boolean;
}

/** Where a central header points, and where the next one stands. */
export interface CentralLink {
  /** As written: relative to the archive's beginning. */
  readonly offset: number;
  readonly flags: number;
  readonly next: number;
}

/** APPNOTE 4.3.7. @returns null where no local header stands */
export function readLocalHeader(window: Window, at: number): LocalHeader | null {
  const fixed = window.at(at, LOCAL_BYTES);
  if (fixed === null || fixed.readUInt32LE(0) !== LOCAL_SIGNATURE) return null;
  const nameBytes = fixed.readUInt16LE(26);
  const extraBytes = fixed.readUInt16LE(28);
  const whole = window.at(at, LOCAL_BYTES + nameBytes + extraBytes);
  if (whole === null) return null;
  let size = whole.readUInt32LE(22);
  let packed = whole.readUInt32LE(18);
  let wide = false;
  if (size === WIDE || packed === WIDE) {
    const extra = zip64Values(whole.subarray(LOCAL_BYTES + nameBytes));
    wide = extra !== null;
    let turn = 0;
    if (size === WIDE) size = extra?.[turn++] ?? size;
    if (packed === WIDE) packed = extra?.[turn] ?? packed;
  }
  return {
    name: whole.toString('latin1', LOCAL_BYTES, LOCAL_BYTES + nameBytes),
    flags: whole.readUInt16LE(6),
    method: whole.readUInt16LE(8),
    crc: whole.readUInt32LE(14),
    packed,
    size,
    data: at + LOCAL_BYTES + nameBytes + extraBytes,
    wide,
  };
}

/** APPNOTE 4.3.12, as far as finding the members needs it. @returns null where no central header stands */
export function readCentralLink(window: Window, at: number, end: number): CentralLink | null {
  if (at + CENTRAL_BYTES > end) return null;
  const fixed = window.at(at, CENTRAL_BYTES);
  if (fixed === null || fixed.readUInt32LE(0) !== CENTRAL_SIGNATURE) return null;
  const flags = fixed.readUInt16LE(8);
  const nameBytes = fixed.readUInt16LE(28);
  const extraBytes = fixed.readUInt16LE(30);
  const next = at + CENTRAL_BYTES + nameBytes + extraBytes + fixed.readUInt16LE(32);
  if (next > end) return null;
  let offset = fixed.readUInt32LE(42);
  if (offset === WIDE) {
    const turn = Number(fixed.readUInt32LE(24) === WIDE) + Number(fixed.readUInt32LE(20) === WIDE);
    const extra = window.at(at + CENTRAL_BYTES + nameBytes, extraBytes);
    offset = (extra === null ? null : zip64Values(extra))?.[turn] ?? offset;
  }
  return { offset, flags, next };
}

/** The 64-bit values of the ZIP64 extra field, APPNOTE 4.5.3; exact below 2^53, where no file reaches. */
function zip64Values(extra: Buffer): number[] | null {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === ZIP64_EXTRA) {
      const end = Math.min(at + 4 + length, extra.length);
      const values: number[] = [];
      for (let k = at + 4; k + 8 <= end && values.length < 3; k += 8) values.push(readWide(extra, k));
      return values;
    }
    at += 4 + length;
  }
  return null;
}

/** A 64-bit integer, rounded above 2^53. */
export function readWide(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
}
