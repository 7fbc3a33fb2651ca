import type { ByteString } from '../../model/bytes.ts';
import type { MemberType } from '../container.ts';
import { byteAt } from '../integers.ts';
import { cStringOf } from '../memberBody.ts';
import { isTar } from '../plausible.ts';
import { tarNumber } from './numbers.ts';
import type { TarNumber } from './numbers.ts';

/** A tar archive is a row of such records; contents are filled up to whole ones. */
export const RECORD_BYTES = 512;

/** One header, as it stands (POSIX pax(1), ustar Interchange Format; GNU tar, tar.h). */
export interface TarHeader {
  readonly flag: string;
  readonly name: ByteString;
  readonly target: ByteString;
  /** Null: the field holds no number. */
  readonly size: TarNumber | null;
  /** GNU's old sparse format: records with more of the map follow. */
  readonly mapFollows: boolean;
}

/** Bytes from the end of a content of `size` bytes to the end of its record. */
export function paddingOf(size: number): number {
  return (RECORD_BYTES - (size % RECORD_BYTES)) % RECORD_BYTES;
}

/** Whether the record at `at` is all zero. */
export function isZeroRecord(bytes: Uint8Array, at: number): boolean {
  for (let k = at; k < at + RECORD_BYTES; k += 1) {
    if (bytes[k] !== 0) return false;
  }
  return true;
}

const USTAR_PREFIX = 345;
const SPARSE_GOES_ON = 482;

/** `ustar` and NUL: what POSIX writes. GNU's own header has a space there, and no prefix behind it. */
function isPosix(bytes: Uint8Array, at: number): boolean {
  const magic = at + 257;
  return (
    byteAt(bytes, magic) === 0x75 &&
    byteAt(bytes, magic + 1) === 0x73 &&
    byteAt(bytes, magic + 2) === 0x74 &&
    byteAt(bytes, magic + 3) === 0x61 &&
    byteAt(bytes, magic + 4) === 0x72 &&
    byteAt(bytes, magic + 5) === 0
  );
}

/** Reads the header at [at, at + 512); null where its checksum is wrong. */
export function readHeader(bytes: Uint8Array, at: number): TarHeader | null {
  if (!isTar(bytes, at)) return null;
  const flag = byteAt(bytes, at + 156);
  let name = cStringOf(bytes, at, at + 100);
  if (byteAt(bytes, at + USTAR_PREFIX) !== 0 && isPosix(bytes, at)) {
    name = `${cStringOf(bytes, at + USTAR_PREFIX, at + USTAR_PREFIX + 155)}/${name}`;
  }
  return {
    flag: flag === 0 ? '0' : String.fromCharCode(flag),
    name,
    target: byteAt(bytes, at + 157) === 0 ? '' : cStringOf(bytes, at + 157, at + 257),
    size: tarNumber(bytes, at + 124, 12),
    mapFollows: flag === 0x53 && byteAt(bytes, at + SPARSE_GOES_ON) !== 0,
  };
}

const TYPES: Readonly<Record<string, MemberType>> = {
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'special',
  '4': 'special',
  '5': 'directory',
  '6': 'special',
  // a directory with the names in it, of an incremental dump
  D: 'directory',
  // the name of a volume
  V: 'special',
};

/** What a header's flag means; what no one knows is a file, as POSIX asks. */
export function typeOf(flag: string, name: ByteString, size: number): MemberType {
  // V7 tar has no flag for directories.
  if (flag === '0' && size === 0 && name.endsWith('/')) return 'directory';
  return TYPES[flag] ?? 'file';
}

/** Members of these flags have no contents, whatever their size field says. */
export function hasNoContents(flag: string): boolean {
  return flag >= '1' && flag <= '6';
}
