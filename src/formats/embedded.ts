import { startsDeflate } from './deflateHeader.ts';
import { BitReader } from './compression/bzip2Bits.ts';
import { BIG_ENDIAN, byteAt, LITTLE_ENDIAN } from './integers.ts';
import { isCpio, isLz4Header, isSquashfs } from './plausible.ts';
import { readZstdBlock, readZstdHeader, zstdHeaderBytes } from './compression/zstdFrame.ts';

/** A byte pattern that a stream in the middle of a file is found by. */
export interface EmbeddedMagic {
  readonly kind: EmbeddedKind;
  readonly bytes: Uint8Array;
  /** Bytes of the stream before the pattern. */
  readonly before: number;
}

/** What can be opened in the middle of a file. */
export type EmbeddedKind = 'xz' | 'zstd' | 'gzip' | 'bzip2' | 'lz4' | 'lzip' | 'cpio' | 'squashfs';

const magic = (kind: EmbeddedKind, text: string, before = 0): EmbeddedMagic => ({
  kind,
  bytes: Buffer.from(text, 'latin1'),
  before,
});

/** What is searched for at every offset. zlib is not among them: its two bytes say nothing. */
export const EMBEDDED_MAGICS: readonly EmbeddedMagic[] = Object.freeze([
  magic('xz', '\xfd7zXZ\0'),
  magic('zstd', '\x28\xb5\x2f\xfd'),
  magic('gzip', '\x1f\x8b\x08'),
  magic('bzip2', '1AY&SY', 4),
  magic('lz4', '\x04\x22\x4d\x18'),
  magic('lz4', '\x02\x21\x4c\x18'),
  magic('lzip', 'LZIP\x01'),
  magic('cpio', '070701'),
  magic('cpio', '070702'),
  magic('squashfs', 'hsqs'),
  magic('squashfs', 'sqsh'),
]);

/**
 * Bytes from a stream's start that {@link sniffEmbedded} makes use of. It says less surely what
 * stands closer to the end of the file; with fewer bytes of a longer file it may miss a stream.
 */
export const EMBEDDED_HEADER_BYTES = 512;

/**
 * The kind of a stream that begins at [start], found by its magic in the middle of a file. Far
 * stricter than a look at the beginning of a file: there is no other sign that a stream was meant,
 * so everything that the first bytes hold must be legal, checksums too.
 *
 * @param buffer holds the stream's first bytes at [start, start + length), as many as the file has
 *   up to {@link EMBEDDED_HEADER_BYTES}
 */
export function sniffEmbedded(buffer: Uint8Array, start: number, length: number): EmbeddedKind | null {
  const head = buffer.subarray(start, start + Math.min(length, EMBEDDED_HEADER_BYTES));
  switch (byteAt(head, 0)) {
    case 0xfd:
      return isXz(head) ? 'xz' : null;
    case 0x28:
      return isZstd(head) ? 'zstd' : null;
    case 0x1f:
      return isGzip(head) ? 'gzip' : null;
    case 0x42:
      return isBzip2(head) ? 'bzip2' : null;
    case 0x04:
      return isLz4Header(head, 0, head.length) ? 'lz4' : null;
    case 0x02:
      return isLegacyLz4(head) ? 'lz4' : null;
    case 0x4c:
      return isLzip(head) ? 'lzip' : null;
    case 0x30:
      return isNewCpio(head) ? 'cpio' : null;
    case 0x68:
    case 0x73:
      return isSquashfsBlock(head) ? 'squashfs' : null;
    default:
      return null;
  }
}

function begins(head: Uint8Array, pattern: string, at = 0): boolean {
  if (head.length < at + pattern.length) return false;
  for (let k = 0; k < pattern.length; k += 1) {
    if (head[at + k] !== pattern.charCodeAt(k)) return false;
  }
  return true;
}

/** A stream header with its CRC32. */
function isXz(head: Uint8Array): boolean {
  if (head.length < 12 || !begins(head, '\xfd7zXZ\0\0') || byteAt(head, 7) > 15) return false;
  // loading it takes longer than most outputs to search, and such a header is rare
  const { crc32 } = process.getBuiltinModule('node:zlib');
  return crc32(head.subarray(6, 8)) === LITTLE_ENDIAN.u32(head, 8);
}

/** A frame header of no dictionary that a decoder can hold, and a legal first block. */
function isZstd(head: Uint8Array): boolean {
  if (head.length < 9 || !begins(head, '\x28\xb5\x2f\xfd')) return false;
  const headerBytes = zstdHeaderBytes(head);
  if (head.length < headerBytes + 3) return false;
  const header = readZstdHeader(head.subarray(0, headerBytes));
  if (header.reserved || header.needsDictionary || header.windowBytes > 2 ** 31) return false;
  const block = readZstdBlock(head, headerBytes, header.blockMaxBytes);
  const compressed = ((byteAt(head, headerBytes) >> 1) & 3) === 2;
  // A compressed block has two section headers at least.
  return !block.malformed && !(compressed && block.storedBytes < 2);
}

/** A member header without reserved flags, and deflate data that begins legally. */
function isGzip(head: Uint8Array): boolean {
  if (head.length < 18 || !begins(head, '\x1f\x8b\x08')) return false;
  const flags = byteAt(head, 3);
  if ((flags & 0xe0) !== 0) return false;
  let at = 10;
  if ((flags & 0x04) !== 0) at += 2 + LITTLE_ENDIAN.u16(head, at);
  for (const field of [0x08, 0x10]) {
    if ((flags & field) === 0) continue;
    // A name or comment that is longer than what can be seen is taken on trust.
    const end = at < head.length ? head.indexOf(0, at) : -1;
    if (end === -1) return head.length === EMBEDDED_HEADER_BYTES;
    at = end + 1;
  }
  if ((flags & 0x02) !== 0) at += 2;
  return at >= head.length ? head.length === EMBEDDED_HEADER_BYTES : startsDeflate(head, at);
}

/** Stream and block header: not randomised, an origin in the block, a map of symbols, 2 to 6 tables. */
function isBzip2(head: Uint8Array): boolean {
  const level = byteAt(head, 3) - 0x30;
  if (head.length < 18 || !begins(head, 'BZh') || level < 1 || level > 9) return false;
  if (!begins(head, '1AY&SY', 4)) return false;
  const bits = new BitReader(head, 14, head.length, 0); // behind the CRC of the block
  const isRandomised = bits.read(1) === 1;
  const origin = bits.read(24);
  if (isRandomised || origin >= level * 100_000) return false;
  const ranges = bits.read(16);
  let symbols = 0;
  for (let k = 0; k < 16; k += 1) {
    if (((ranges >> k) & 1) === 0) continue;
    const used = bits.read(16);
    if (used === 0) return false; // a range is named only for a symbol in it
    symbols += used;
  }
  const tables = bits.read(3);
  return symbols > 0 && tables >= 2 && tables <= 6 && bits.read(15) > 0 && !bits.overrun;
}

/** The old frames of lz4: a first block that is not larger than one may be, and begins with a literal. */
function isLegacyLz4(head: Uint8Array): boolean {
  if (head.length < 9 || !begins(head, '\x02\x21\x4c\x18')) return false;
  const size = LITTLE_ENDIAN.u32(head, 4);
  return size > 0 && size <= 8_421_520 && (byteAt(head, 8) >> 4 !== 0 || size === 1);
}

/** Version 1, a dictionary of 2^12 to 2^29 bytes, and a range coder that begins with zero. */
function isLzip(head: Uint8Array): boolean {
  const log = byteAt(head, 5) & 0x1f;
  return head.length >= 26 && begins(head, 'LZIP\x01') && log >= 12 && log <= 29 && head[6] === 0;
}

/** The ASCII header of newc, and a name of its stated length. */
function isNewCpio(head: Uint8Array): boolean {
  if (head[5] === 0x37 || !isCpio(head, 0, head.length)) return false;
  const nameBytes = Number.parseInt(Buffer.from(head.subarray(94, 102)).toString('latin1'), 16);
  if (nameBytes < 2 || nameBytes > 4096 || byteAt(head, 110) === 0) return false;
  return head.length <= 110 + nameBytes - 1
    ? head.length === EMBEDDED_HEADER_BYTES
    : head[109 + nameBytes] === 0;
}

/** A superblock whose block size is a power of two, as its logarithm says. */
function isSquashfsBlock(head: Uint8Array): boolean {
  if (head.length < 96 || !isSquashfs(head, 0, head.length)) return false;
  const isLittle = byteAt(head, 0) === 0x68;
  if (!isLittle || head[28] !== 4) {
    // up to version 3 the logarithm stands behind the size
    const old = isLittle ? LITTLE_ENDIAN.u16(head, 34) : BIG_ENDIAN.u16(head, 34);
    return old >= 12 && old <= 20;
  }
  const log = LITTLE_ENDIAN.u16(head, 22);
  return (
    log >= 12 && log <= 20 && LITTLE_ENDIAN.u32(head, 12) === 2 ** log && LITTLE_ENDIAN.u16(head, 20) <= 6
  );
}

/**
 * Bytes of a zip end record with its comment that stands at [start], or 0. Nothing says that it is
 * the last one of its file, so its fields must fit one another.
 *
 * @param buffer holds the record at [start, start + length), or the file ends before
 * @param before bytes of the file before it
 */
export function zipEndBytes(buffer: Uint8Array, start: number, length: number, before: number): number {
  if (length < 22 || LITTLE_ENDIAN.u32(buffer, start) !== 0x0605_4b50) return 0;
  const word = (at: number): number => LITTLE_ENDIAN.u16(buffer, start + at);
  const entries = word(10);
  if (word(4) !== word(6) || word(8) !== entries || entries === 0) return 0;
  const bytes = LITTLE_ENDIAN.u32(buffer, start + 12);
  const isWide = bytes === 0xffff_ffff;
  if (!isWide && (bytes > before || (entries !== 0xffff && bytes < 46 * entries))) return 0;
  return 22 + word(20);
}
