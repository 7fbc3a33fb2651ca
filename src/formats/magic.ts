import type { ByteString } from '../model/bytes.ts';
import { byteAt } from './integers.ts';
import { readCookie } from './pyinstaller/cookie.ts';
import {
  isBitcode,
  isCpio,
  isIso9660,
  isLocalFileHeader,
  isLzmaAlone,
  isRdbRecord,
  isPe,
  isSquashfs,
  isStrippedCpio,
  isTar,
  isUdf,
  isZipEnd,
  isZisofs,
} from './plausible.ts';

/** What is known of one kind of content. */
interface Content {
  /** Holds other content, possibly compressed, that a search over the bytes cannot see. */
  readonly container: boolean;
  /** The bytes alone are proof; else a second sign was asked for (the file's name). */
  readonly strong: boolean;
  /** What is looked at. */
  readonly sign: string;
  /** Where that is written down. */
  readonly source: string;
}

const container = (sign: string, source: string, strong = true): Content => ({
  container: true,
  strong,
  sign,
  source,
});

const plain = (sign: string, source: string): Content => ({ container: false, strong: true, sign, source });

/** Every kind of content that is told apart by its bytes. */
export const CONTENT = {
  elf: plain('7f E L F', 'System V gABI, chapter 4'),
  macho: plain('fe ed fa ce/cf, either byte order', 'mach-o/loader.h'),
  'macho-fat': plain('ca fe ba be/bf, and no Java class', 'mach-o/fat.h'),
  pe: plain('MZ, and PE 00 00 where its last word says', 'Microsoft, PE Format'),
  shebang: plain('#!', 'execve(2)'),
  bitcode: container('BC c0 de and a block; or de c0 17 0b 00 and a size', 'LLVM, LLVM Bitcode File Format'),
  'portable-pdb': container('BSJB, version 1.1, PDB v1.0', '.NET, Portable PDB v1.0'),
  gzip: container('1f 8b 08, reserved flags zero', 'RFC 1952, 2.3'),
  xz: container('fd 7zXZ 00, known stream flags', 'The .xz File Format, 2.1.1'),
  zstd: container('28 b5 2f fd, reserved bit zero; or a skippable frame', 'RFC 8878, 3.1'),
  bzip2: container('BZh[1-9], block or end magic', 'bzip2, decompress.c'),
  lz4: container('04 22 4d 18, version 1, reserved bits zero; or 02 21 4c 18', 'LZ4 Frame Format 1.6.4'),
  lzip: container('LZIP, version 0 or 1, sane dictionary', 'lzip manual, File format'),
  lzop: container('89 LZO 00 0d 0a 1a 0a', 'lzop, src/lzop.c'),
  snappy: container('ff 06 00 00 sNaPpY', 'snappy, framing_format.txt'),
  zip: container('local header of a known version and a sane name; or an end record', 'APPNOTE 6.3.10, 4.3'),
  tar: container('header checksum, with or without ustar at 257', 'POSIX pax, ustar; tar(5)'),
  ar: container('!<arch> or !<thin>', 'ar(5)'),
  cpio: container('070701, 070702, 070707 and digits; or 0o70707 and a sane header', 'cpio(5)'),
  'rpm-cpio': container('07070X and eight hexadecimal digits', 'rpm, lib/cpio.c'),
  '7z': container('37 7a bc af 27 1c', '7-Zip, 7zFormat.txt'),
  rar: container('Rar! 1a 07 00, or 01 00', 'RAR 5.0 archive format; unrar, archive.cpp'),
  squashfs: container('hsqs or sqsh, version 1 to 4', 'Linux, fs/squashfs/squashfs_fs.h'),
  iso9660: container('CD001 at 32769', 'ECMA-119, 8.1'),
  udf: container('BEA01 at 32769, NSR02 or NSR03 at 34817', 'ECMA-167, 2/9'),
  zisofs: container('37 e4 53 96 c9 db d6 07 or ef 22 55 a1 bc 1b 95 a0', 'libisofs, doc/zisofs_format.txt'),
  cab: container('MSCF 00 00 00 00', 'MS-CAB, 2.1'),
  xar: container('xar!, header of 28 bytes or more', 'xar, include/xar.h.in'),
  dmg: container('koly in the last 512 bytes', 'Apple UDIF trailer'),
  nar: container('nix-archive-1', 'Nix manual, Nix Archive format'),
  rpm: container('ed ab ee db, version 2 to 6', 'rpm, docs/manual/format_v4.md'),
  beam: container('FOR1 .... BEAM', 'Erlang/OTP, beam_file format'),
  pdf: container('%PDF- and a digit', 'ISO 32000-1, 7.5.2'),
  png: container('89 PNG 0d 0a 1a 0a, then IHDR', 'PNG (Third Edition), 5.2'),
  'git-pack': container('PACK, version 2 or 3', 'git, Documentation/gitformat-pack.txt'),
  ocaml: container('Caml1999, a letter, three digits', 'OCaml, utils/config.common.ml.in'),
  pyinstaller: container(
    'MEI 0c 0b 0a 0b 0e near the end, lengths that fit',
    'PyInstaller, archive/writers.py, CArchiveWriter',
  ),
  'pyinstaller-modules': container(
    'PYZ 00, a magic of Python',
    'PyInstaller, archive/writers.py, ZlibArchiveWriter',
  ),
  'sphinx-inventory': container('# Sphinx inventory version 2', 'Sphinx, sphinx/util/inventory.py'),
  'git-object': container('zlib header, under objects/xx/', 'git, Documentation/gitformat-loose.txt', false),
  rdb: container('a record that begins legally, name ends in .rdb', 'R, src/main/serialize.c', false),
  lzma: container('plausible header, name ends in .lzma', 'xz, doc/lzma-file-format.txt', false),
  compress: container('1f 9d, name ends in .Z', 'ncompress, compress42.c', false),
  brotli: container('name ends in .br', 'RFC 7932 (has no magic)', false),
} as const satisfies Record<string, Content>;

export type ContentKind = keyof typeof CONTENT;

/** Bytes at a file's end that {@link sniffTail} looks at: a zip's end record and its longest comment. */
export const TAIL_BYTES = 22 + 0xffff;

/**
 * The kind of a file by its first bytes, or null: then it is just bytes. Text that merely begins
 * like a container is none: a header must be valid, so a fault behind it is damage.
 *
 * @param buffer holds the file's first bytes at [start, start + length); up to 64 KiB are of use
 * @param size of the whole file in bytes, null where it is unknown
 */
export function sniffContent(
  buffer: Uint8Array,
  start: number,
  length: number,
  size: number | null,
): ContentKind | null {
  // A tar archive begins with a name of any bytes, so no other magic may come before its own.
  if (length >= 512 && buffer[start + 257] === 0x75 && isTar(buffer, start)) return 'tar';
  const kind = sniffStart(buffer, start, length, size);
  if (kind !== null) return kind;
  if (isSkippableFrame(buffer, start, length, size ?? Infinity)) return 'zstd';
  if (length > 32_774 && isIso9660(buffer, start, length)) return 'iso9660';
  if (length > 32_774 && isUdf(buffer, start, length)) return 'udf';
  return length >= 512 && isTar(buffer, start) ? 'tar' : null;
}

function sniffStart(b: Uint8Array, at: number, length: number, size: number | null): ContentKind | null {
  if (length < 2) return null;
  const whole = size ?? Infinity;
  switch (byteAt(b, at)) {
    case 0x7f:
      return matches(b, at, length, '\x7fELF') ? 'elf' : null;
    case 0xfe:
      return matches(b, at, length, '\xfe\xed\xfa\xce') || matches(b, at, length, '\xfe\xed\xfa\xcf')
        ? 'macho'
        : null;
    case 0xce:
      return matches(b, at, length, '\xce\xfa\xed\xfe') ? 'macho' : null;
    case 0xcf:
      return matches(b, at, length, '\xcf\xfa\xed\xfe') ? 'macho' : null;
    case 0xca:
      // The eleventh byte is a constant's tag in a Java class, never 0; it is 0 in every CPU type.
      return matches(b, at, length, '\xca\xfe\xba\xbf') ||
        (matches(b, at, length, '\xca\xfe\xba\xbe') && length >= 12 && b[at + 10] === 0)
        ? 'macho-fat'
        : null;
    case 0x23:
      if (b[at + 1] === 0x21) return 'shebang';
      return matches(b, at, length, '# Sphinx inventory version 2') ? 'sphinx-inventory' : null;
    case 0x1f:
      return length >= 10 && matches(b, at, length, '\x1f\x8b\x08') && (byteAt(b, at + 3) & 0xe0) === 0
        ? 'gzip'
        : null;
    case 0xfd:
      return length >= 8 && matches(b, at, length, '\xfd7zXZ\0\0') && byteAt(b, at + 7) < 16 ? 'xz' : null;
    case 0x28:
      return length >= 5 && matches(b, at, length, '\x28\xb5\x2f\xfd') && (byteAt(b, at + 4) & 0x08) === 0
        ? 'zstd'
        : null;
    case 0x42:
      if (isBitcode(b, at, length, whole)) return 'bitcode';
      if (matches(b, at, length, 'BSJB\x01\0\x01\0') && matches(b, at + 16, length - 16, 'PDB v1.0')) {
        return 'portable-pdb';
      }
      return isBzip2(b, at, length) ? 'bzip2' : null;
    case 0xde:
      return isBitcode(b, at, length, whole) ? 'bitcode' : null;
    case 0x04:
      // FLG: version 01, bit 1 reserved; BD: block size 4 to 7, the rest reserved.
      return length >= 7 &&
        matches(b, at, length, '\x04\x22\x4d\x18') &&
        (byteAt(b, at + 4) & 0xc2) === 0x40 &&
        (byteAt(b, at + 5) & 0xcf) === 0x40
        ? 'lz4'
        : null;
    case 0x02:
      return length >= 8 && matches(b, at, length, '\x02\x21\x4c\x18') ? 'lz4' : null;
    case 0x4c:
      return length >= 6 &&
        matches(b, at, length, 'LZIP') &&
        byteAt(b, at + 4) < 2 &&
        isLzipDictionary(byteAt(b, at + 5))
        ? 'lzip'
        : null;
    case 0x89:
      if (matches(b, at, length, '\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR')) return 'png';
      return matches(b, at, length, '\x89LZO\0\r\n\x1a\n') ? 'lzop' : null;
    case 0xff:
      return matches(b, at, length, '\xff\x06\0\0sNaPpY') ? 'snappy' : null;
    case 0x43:
      return isOcaml(b, at, length) ? 'ocaml' : null;
    case 0x50:
      if (matches(b, at, length, 'PACK\0\0\0\x02') || matches(b, at, length, 'PACK\0\0\0\x03'))
        return 'git-pack';
      if (length >= 12 && matches(b, at, length, 'PYZ\0') && b[at + 6] === 0x0d && b[at + 7] === 0x0a)
        return 'pyinstaller-modules';
      return isZip(b, at, length, whole) ? 'zip' : null;
    case 0x21:
      return matches(b, at, length, '!<arch>\n') || matches(b, at, length, '!<thin>\n') ? 'ar' : null;
    case 0x30:
      if (isStrippedCpio(b, at, length)) return 'rpm-cpio';
      return isCpio(b, at, length) ? 'cpio' : null;
    case 0x71:
    case 0xc7:
      return isCpio(b, at, length) ? 'cpio' : null;
    case 0x37:
      if (isZisofs(b, at, length)) return 'zisofs';
      return matches(b, at, length, '7z\xbc\xaf\x27\x1c') ? '7z' : null;
    case 0x52:
      return matches(b, at, length, 'Rar!\x1a\x07\0') || matches(b, at, length, 'Rar!\x1a\x07\x01\0')
        ? 'rar'
        : null;
    case 0x68:
    case 0x73:
      return isSquashfs(b, at, length) ? 'squashfs' : null;
    case 0x4d:
      if (isPe(b, at, length)) return 'pe';
      return matches(b, at, length, 'MSCF\0\0\0\0') ? 'cab' : null;
    case 0x78:
      return length >= 6 && matches(b, at, length, 'xar!\0') && byteAt(b, at + 5) >= 28 ? 'xar' : null;
    case 0x0d:
      return matches(b, at, length, '\r\0\0\0\0\0\0\0nix-archive-1\0\0\0') ? 'nar' : null;
    case 0xef:
      return isZisofs(b, at, length) ? 'zisofs' : null;
    case 0xed:
      return length >= 5 &&
        matches(b, at, length, '\xed\xab\xee\xdb') &&
        byteAt(b, at + 4) >= 2 &&
        byteAt(b, at + 4) <= 6
        ? 'rpm'
        : null;
    case 0x46:
      return length >= 12 && matches(b, at, length, 'FOR1') && matches(b, at + 8, length - 8, 'BEAM')
        ? 'beam'
        : null;
    case 0x25:
      return length >= 6 && matches(b, at, length, '%PDF-') && isDigit(byteAt(b, at + 5)) ? 'pdf' : null;
    default:
      return null;
  }
}

/**
 * The kind of a file by its last bytes, for those whose first bytes say nothing or little: disk
 * images, and archives behind something else (self-extracting zips, PyInstaller programs).
 *
 * @param buffer holds the file's last bytes at [start, start + length); TAIL_BYTES are of use
 * @param size of the whole file in bytes
 */
export function sniffTail(
  buffer: Uint8Array,
  start: number,
  length: number,
  size: number,
): ContentKind | null {
  const end = start + length;
  const koly = end - 512;
  if (koly >= start && matches(buffer, koly, 512, 'koly\0\0\0\x04\0\0\x02\0')) return 'dmg';
  const least = Math.max(start, end - TAIL_BYTES);
  let zip = lastBefore(buffer, 0x50, end - 22, least);
  let cookie = lastBefore(buffer, 0x4d, end - 22, least);
  // whichever stands nearest to the end
  while (zip >= least || cookie >= least) {
    if (zip > cookie) {
      if (isZipEnd(buffer, zip, end - zip, size - (end - zip))) return 'zip';
      zip = lastBefore(buffer, 0x50, zip - 1, least);
    } else {
      const isCookie = buffer[cookie + 1] === 0x45;
      if (isCookie && readCookie(buffer.subarray(0, end), cookie, size - (end - cookie)) !== null) {
        return 'pyinstaller';
      }
      cookie = lastBefore(buffer, 0x4d, cookie - 1, least);
    }
  }
  return null;
}

/** Where `byte` stands last in [least, at]; less than `least` where it does not. */
function lastBefore(buffer: Uint8Array, byte: number, at: number, least: number): number {
  if (at < least) return -1;
  const found = buffer.subarray(least, at + 1).lastIndexOf(byte);
  return found < 0 ? -1 : least + found;
}

/**
 * The kind of a file whose bytes alone prove nothing, by its name as the second sign.
 *
 * @param name path or name of the file
 * @param buffer holds the file's first bytes at [start, start + length), 64 are of use; without it
 *   the ending alone decides
 */
export function sniffName(
  name: ByteString,
  buffer: Uint8Array | null = null,
  start = 0,
  length = 0,
): ContentKind | null {
  if (name.endsWith('.lzma')) return buffer === null || isLzmaAlone(buffer, start, length) ? 'lzma' : null;
  if (name.endsWith('.Z')) {
    return buffer === null || matches(buffer, start, length, '\x1f\x9d') ? 'compress' : null;
  }
  if (name.endsWith('.br')) return buffer === null || length > 0 ? 'brotli' : null;
  if (buffer === null || length < 2) return null;
  if (name.endsWith('.rdb')) return isRdbRecord(buffer, start, length) ? 'rdb' : null;
  const first = byteAt(buffer, start);
  const zlib = (first & 0x8f) === 0x08 && (first * 256 + byteAt(buffer, start + 1)) % 31 === 0;
  return zlib && LOOSE_OBJECT.test(name) ? 'git-object' : null;
}

/** Whether a name may tell a kind that the bytes alone do not. */
export function isTellingName(name: ByteString): boolean {
  return sniffName(name) !== null || name.endsWith('.rdb') || LOOSE_OBJECT.test(name);
}

/** SHA-1 and SHA-256 object names. */
const LOOSE_OBJECT = /(?:^|\/)objects\/[0-9a-f]{2}\/(?:[0-9a-f]{38}|[0-9a-f]{62})$/;

function matches(buffer: Uint8Array, at: number, length: number, magic: string): boolean {
  if (length < magic.length) return false;
  for (let k = 0; k < magic.length; k += 1) {
    if (buffer[at + k] !== magic.charCodeAt(k)) return false;
  }
  return true;
}

const isDigit = (value: number): boolean => value >= 0x30 && value <= 0x39;

/** The magics of every file that the compiler writes: the letter says which, the digits the version. */
function isOcaml(b: Uint8Array, at: number, length: number): boolean {
  if (length < 12 || !matches(b, at, length, 'Caml1999')) return false;
  const letter = byteAt(b, at + 8) | 0x20;
  return (
    letter >= 0x61 &&
    letter <= 0x7a &&
    isDigit(byteAt(b, at + 9)) &&
    isDigit(byteAt(b, at + 10)) &&
    isDigit(byteAt(b, at + 11))
  );
}

function isBzip2(b: Uint8Array, at: number, length: number): boolean {
  if (length < 10 || b[at + 1] !== 0x5a || b[at + 2] !== 0x68) return false;
  const level = byteAt(b, at + 3);
  if (level < 0x31 || level > 0x39) return false;
  return (
    matches(b, at + 4, 6, '\x31\x41\x59\x26\x53\x59') || matches(b, at + 4, 6, '\x17\x72\x45\x38\x50\x90')
  );
}

/** Coded dictionary size: 2^12 to 2^29 bytes, less a fraction. */
function isLzipDictionary(coded: number): boolean {
  const log = coded & 0x1f;
  return log >= 12 && log <= 29;
}

function isSkippableFrame(b: Uint8Array, at: number, length: number, size: number): boolean {
  if (length < 8 || (byteAt(b, at) & 0xf0) !== 0x50) return false;
  if (!matches(b, at + 1, 3, '\x2a\x4d\x18')) return false;
  const bytes =
    byteAt(b, at + 4) +
    byteAt(b, at + 5) * 0x100 +
    byteAt(b, at + 6) * 0x1_0000 +
    byteAt(b, at + 7) * 0x100_0000;
  return 8 + bytes <= size;
}

function isZip(b: Uint8Array, at: number, length: number, size: number): boolean {
  if (b[at + 1] !== 0x4b) return false;
  // Archives that were split, or made so as to be splittable, begin with a marker.
  const marked = matches(b, at, length, 'PK\x07\x08PK\x03\x04') || matches(b, at, length, 'PK00PK\x03\x04');
  const skip = marked ? 4 : 0;
  if (isLocalFileHeader(b, at + skip, length - skip, size - skip)) return true;
  return isZipEnd(b, at, length, 0);
}
