import { isZlibHeader } from './compression/magic.ts';
import { Xxh32 } from './compression/xxh32.ts';
import { byteAt, LITTLE_ENDIAN } from './integers.ts';

/*
 * Headers whose magic is short or missing, looked at field by field. Each function asks whether a
 * header stands at [at, at + length) of the buffer and reads nothing outside it.
 */

const { u16, u32 } = LITTLE_ENDIAN;

const isOctal = (value: number): boolean => value >= 0x30 && value <= 0x37;

const isHex = (value: number): boolean =>
  (value >= 0x30 && value <= 0x39) || ((value | 0x20) >= 0x61 && (value | 0x20) <= 0x66);

/** Compression methods of APPNOTE 4.4.5 and of 7-Zip, WinZip and others. */
const isZipMethod = (method: number): boolean => method <= 20 || (method >= 92 && method <= 99);

/** A zip local file header: known version and method, a name without NUL, all of it in the file. */
export function isLocalFileHeader(b: Uint8Array, at: number, length: number, size: number): boolean {
  if (length < 30 || u32(b, at) !== 0x0403_4b50) return false;
  const nameBytes = u16(b, at + 26);
  if (30 + nameBytes + u16(b, at + 28) > size) return false;
  // The version's high byte is the system it was made on, in the wild.
  if (byteAt(b, at + 4) > 90 || !isZipMethod(u16(b, at + 8))) return false;
  const nameEnd = Math.min(30 + nameBytes, length);
  for (let k = 30; k < nameEnd; k += 1) {
    if (b[at + k] === 0) return false;
  }
  return true;
}

/**
 * A zip end of central directory record, whose comment reaches exactly the end of the bytes given.
 *
 * @param before bytes of the file before `at`; 0: the archive is empty
 */
export function isZipEnd(b: Uint8Array, at: number, length: number, before: number): boolean {
  if (length < 22 || u32(b, at) !== 0x0605_4b50) return false;
  const directoryBytes = u32(b, at + 12);
  if (22 + u16(b, at + 20) !== length) return false;
  // All ones: the true value stands in a ZIP64 record before this one.
  return directoryBytes === 0xffff_ffff ? before >= 20 : directoryBytes <= before;
}

/** A tar header block of 512 bytes, of any dialect, by its checksum (bytes added unsigned or, by old tools, signed). */
export function isTar(b: Uint8Array, at: number): boolean {
  if (b[at] === 0) return false;
  let sum = 0;
  let digits = 0;
  for (let k = 148; k < 156; k += 1) {
    const value = byteAt(b, at + k);
    if (isOctal(value)) {
      sum = sum * 8 + value - 0x30;
      digits += 1;
    } else if (value !== 0x20 && value !== 0) {
      return false;
    } else if (digits > 0) {
      break;
    }
  }
  if (digits === 0) return false;
  const unsigned = 8 * 0x20 + sumOf(b, at, at + 148, 0) + sumOf(b, at + 156, at + 512, 0);
  if (sum === unsigned) return true;
  const negative = sumOf(b, at, at + 148, 7) + sumOf(b, at + 156, at + 512, 7);
  return sum === unsigned - 256 * negative;
}

/** The sum of the bytes [from, to), each shifted to the right. */
function sumOf(b: Uint8Array, from: number, to: number, shift: number): number {
  let sum = 0;
  for (let k = from; k < to; k += 1) sum += byteAt(b, k) >> shift;
  return sum;
}

/** A cpio header: portable ASCII of either kind with all its digits, or the old binary one of either byte order. */
export function isCpio(b: Uint8Array, at: number, length: number): boolean {
  const first = byteAt(b, at);
  if (first === 0x30) return isAsciiCpio(b, at, length);
  if (length < 28) return false;
  const little = first === 0xc7 && b[at + 1] === 0x71;
  if (!little && (first !== 0x71 || b[at + 1] !== 0xc7)) return false;
  const word = (k: number): number =>
    little ? u16(b, at + k) : (byteAt(b, at + k) << 8) | byteAt(b, at + k + 1);
  const fileType = word(6) >> 12;
  const nameBytes = word(20);
  const isFileType = [1, 2, 4, 6, 8, 10, 12].includes(fileType) || nameBytes === 'TRAILER!!!\0'.length;
  if (!isFileType || nameBytes < 2 || nameBytes > 4096 || b[at + 26] === 0) return false;
  return length < 26 + nameBytes || b[at + 26 + nameBytes - 1] === 0;
}

function isAsciiCpio(b: Uint8Array, at: number, length: number): boolean {
  if (length < 76) return false;
  for (let k = 1; k < 5; k += 1) {
    if (b[at + k] !== (k % 2 === 1 ? 0x37 : 0x30)) return false;
  }
  const kind = b[at + 5];
  const octal = kind === 0x37;
  if (!octal && ((kind !== 0x31 && kind !== 0x32) || length < 110)) return false;
  const end = octal ? 76 : 110;
  for (let k = 6; k < end; k += 1) {
    const value = byteAt(b, at + k);
    if (!(octal ? isOctal(value) : isHex(value))) return false;
  }
  return true;
}

/** The header of a cpio member whose name and size stand in the header of an RPM package: the number of a file. */
export function isStrippedCpio(b: Uint8Array, at: number, length: number): boolean {
  if (length < 16) return false;
  for (let k = 0; k < 6; k += 1) {
    if (b[at + k] !== '07070X'.charCodeAt(k)) return false;
  }
  for (let k = 6; k < 14; k += 1) {
    if (!isHex(byteAt(b, at + k))) return false;
  }
  return b[at + 14] === 0 && b[at + 15] === 0;
}

/** The header of an lz4 frame: version 1, reserved bits zero, a block size that exists, and its checksum byte. */
export function isLz4Header(b: Uint8Array, at: number, length: number): boolean {
  if (length < 7 || u32(b, at) !== 0x184d_2204) return false;
  const flags = byteAt(b, at + 4);
  if ((flags & 0xc2) !== 0x40 || (byteAt(b, at + 5) & 0xcf) !== 0x40) return false;
  const end = 6 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  if (length <= end) return false;
  const sum = new Xxh32().update(b.subarray(at + 4, at + end)).digest();
  return ((sum >> 8) & 0xff) === b[at + end];
}

/** LLVM bitcode: its magic and the number that begins a block, or a wrapper of version 0 that names bytes of the file. */
export function isBitcode(b: Uint8Array, at: number, length: number, size: number): boolean {
  if (length < 8) return false;
  if (u32(b, at) === 0xdec0_4342) return (byteAt(b, at + 4) & 3) === 1;
  if (length < 20 || u32(b, at) !== 0x0b17_c0de) return false;
  return u32(b, at + 4) === 0 && u32(b, at + 8) + u32(b, at + 12) <= size;
}

/** A DOS header that leads to a PE header in the bytes given. */
export function isPe(b: Uint8Array, at: number, length: number): boolean {
  if (length < 64 || b[at] !== 0x4d || b[at + 1] !== 0x5a) return false;
  const header = u32(b, at + 60);
  return header + 24 <= length && u32(b, at + header) === 0x0000_4550;
}

/** A squashfs superblock: `hsqs` little endian; `sqsh` big endian, up to version 3. */
export function isSquashfs(b: Uint8Array, at: number, length: number): boolean {
  if (length < 32) return false;
  const magic = u32(b, at);
  if (magic === 0x7371_7368) return b[at + 28] !== 0 && byteAt(b, at + 28) <= 4 && b[at + 29] === 0;
  return magic === 0x6873_7173 && b[at + 28] === 0 && b[at + 29] !== 0 && byteAt(b, at + 29) <= 4;
}

/** An ISO 9660 volume descriptor in the seventeenth block of 2 KiB. */
export function isIso9660(b: Uint8Array, at: number, length: number): boolean {
  const k = at + 32_769;
  return (
    length >= 32_774 &&
    b[k] === 0x43 &&
    b[k + 1] === 0x44 &&
    b[k + 2] === 0x30 &&
    b[k + 3] === 0x30 &&
    b[k + 4] === 0x31
  );
}

/** An image of UDF alone: its descriptors where those of ISO 9660 would be (ECMA-167, 2/9). */
export function isUdf(b: Uint8Array, at: number, length: number): boolean {
  if (length < 34_822 || b[at + 32_769] !== 0x42) return false;
  const first = String.fromCharCode(...b.subarray(at + 32_769, at + 32_774));
  const second = String.fromCharCode(...b.subarray(at + 34_817, at + 34_822));
  return first === 'BEA01' && (second === 'NSR02' || second === 'NSR03');
}

const ZISOFS = [
  [0x37, 0xe4, 0x53, 0x96, 0xc9, 0xdb, 0xd6, 0x07],
  [0xef, 0x22, 0x55, 0xa1, 0xbc, 0x1b, 0x95, 0xa0],
] as const;

/** The header of a zisofs file of either version: its length, and blocks of 32 KiB to 1 MiB. */
export function isZisofs(b: Uint8Array, at: number, length: number): boolean {
  const version = ZISOFS.findIndex((magic) => magic.every((byte, k) => b[at + k] === byte));
  if (version < 0 || length < (version === 0 ? 16 : 24)) return false;
  const [words, log] = version === 0 ? [b[at + 12], b[at + 13]] : [b[at + 9], b[at + 11]];
  return words === (version === 0 ? 4 : 6) && log !== undefined && log >= 15 && log <= 20;
}

/**
 * A header of the old .lzma format: legal properties, and sizes as the known encoders write them
 * (dictionary of 2^n or 2^n + 2^(n-1) bytes, uncompressed size unknown or below 256 GiB).
 */
export function isLzmaAlone(b: Uint8Array, at: number, length: number): boolean {
  if (length < 13 || byteAt(b, at) >= 225) return false;
  const dictionary = u32(b, at + 1);
  const lowest = dictionary & -dictionary;
  const rest = (dictionary - (lowest >>> 0)) >>> 0;
  const isPower = rest === 0 || rest === (lowest >>> 0) * 2;
  if (dictionary !== 0xffff_ffff && (dictionary === 0 || !isPower)) return false;
  const high = u32(b, at + 9);
  return high < 64 || (high === 0xffff_ffff && u32(b, at + 5) === 0xffff_ffff);
}

/**
 * A record of an R database of lazily loaded objects: its length, big endian, then by type a zlib
 * stream, or a letter and bzip2, raw LZMA2, zlib or plain bytes.
 */
export function isRdbRecord(b: Uint8Array, at: number, length: number): boolean {
  if (length < 8) return false;
  const type = byteAt(b, at + 4);
  const next = byteAt(b, at + 5);
  switch (type) {
    case 0x30: // serialized: XDR, ASCII or native
      return (next === 0x58 || next === 0x41 || next === 0x42) && b[at + 6] === 0x0a;
    case 0x31:
      return isZlibHeader(next, byteAt(b, at + 6));
    case 0x32:
      return next === 0x42 && b[at + 6] === 0x5a && b[at + 7] === 0x68;
    case 0x5a: // a first chunk that sets the dictionary anew
      return next === 0x01 || next >= 0xe0;
    default:
      return isZlibHeader(type, next);
  }
}
