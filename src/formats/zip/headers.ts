import type { ByteString } from '../../model/bytes.ts';
import type { Window } from './window.ts';

export const LOCAL_SIGNATURE = 0x0403_4b50;
export const CENTRAL_SIGNATURE = 0x0201_4b50;
export const DESCRIPTOR_SIGNATURE = 0x0807_4b50;
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
export const ZIP64_EXTRA = 1;

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
}

/** Where a central header points, and where the next one stands. */
export interface CentralLink {
  /** Of the local header; as written, relative to the archive's beginning. */
  readonly local: number;
  readonly flags: number;
  readonly next: number;
}

/** APPNOTE 4.3.7. @returns null where no local header stands */
export function readLocalHeader(window: Window, offset: number): LocalHeader | null {
  let at = window.hold(offset, LOCAL_BYTES);
  if (at < 0 || window.bytes.readUInt32LE(at) !== LOCAL_SIGNATURE) return null;
  const nameBytes = window.bytes.readUInt16LE(at + 26);
  const extraBytes = window.bytes.readUInt16LE(at + 28);
  at = window.hold(offset, LOCAL_BYTES + nameBytes + extraBytes);
  if (at < 0) return null;
  const { bytes } = window;
  const nameEnd = at + LOCAL_BYTES + nameBytes;
  let size = bytes.readUInt32LE(at + 22);
  let packed = bytes.readUInt32LE(at + 18);
  if (size === WIDE || packed === WIDE) {
    const values = zip64Values(bytes.subarray(nameEnd, nameEnd + extraBytes));
    let turn = 0;
    if (size === WIDE) size = values[turn++] ?? size;
    if (packed === WIDE) packed = values[turn] ?? packed;
  }
  return {
    name: bytes.toString('latin1', at + LOCAL_BYTES, nameEnd),
    flags: bytes.readUInt16LE(at + 6),
    method: bytes.readUInt16LE(at + 8),
    crc: bytes.readUInt32LE(at + 14),
    packed,
    size,
    data: offset + LOCAL_BYTES + nameBytes + extraBytes,
  };
}

/** APPNOTE 4.3.12, as far as finding the members needs it. @returns null where no central header stands */
export function readCentralLink(window: Window, offset: number, end: number): CentralLink | null {
  const at = offset + CENTRAL_BYTES > end ? -1 : window.hold(offset, CENTRAL_BYTES);
  if (at < 0) return null;
  const { bytes } = window;
  if (bytes.readUInt32LE(at) !== CENTRAL_SIGNATURE) return null;
  const flags = bytes.readUInt16LE(at + 8);
  const nameBytes = bytes.readUInt16LE(at + 28);
  const extraBytes = bytes.readUInt16LE(at + 30);
  const next = offset + CENTRAL_BYTES + nameBytes + extraBytes + bytes.readUInt16LE(at + 32);
  if (next > end) return null;
  let local = bytes.readUInt32LE(at + 42);
  if (local === WIDE) {
    const turn = Number(bytes.readUInt32LE(at + 24) === WIDE) + Number(bytes.readUInt32LE(at + 20) === WIDE);
    const extra = window.at(offset + CENTRAL_BYTES + nameBytes, extraBytes);
    local = (extra === null ? [] : zip64Values(extra))[turn] ?? local;
  }
  return { local, flags, next };
}

/** The 64-bit values of the ZIP64 extra field, APPNOTE 4.5.3; exact below 2^53, where no file reaches. */
function zip64Values(extra: Buffer): number[] {
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
  return [];
}

/** A 64-bit integer, rounded above 2^53. */
export function readWide(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
}
