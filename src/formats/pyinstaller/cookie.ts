import { BIG_ENDIAN } from '../integers.ts';

/** Magic, length of the archive, offset and length of its table, Python's version, name of its library. */
export const COOKIE_BYTES = 88;

/** With which the cookie begins. */
export const COOKIE_MAGIC = 'MEI\x0c\x0b\x0a\x0b\x0e';

/** Where the parts of an archive lie, all but its start relative to that. */
export interface Cookie {
  /** Offset in the file at which the archive begins. */
  readonly start: number;
  readonly tableOffset: number;
  readonly tableBytes: number;
}

/**
 * The record that ends a PyInstaller archive (PyInstaller/archive/writers.py, CArchiveWriter); null
 * where none stands, or one that leads nowhere.
 *
 * @param bytes hold the file's bytes at [at, at + 88)
 * @param offset of the record in the file
 */
export function readCookie(bytes: Uint8Array, at: number, offset: number): Cookie | null {
  if (at + COOKIE_BYTES > bytes.length) return null;
  for (let k = 0; k < COOKIE_MAGIC.length; k += 1) {
    if (bytes[at + k] !== COOKIE_MAGIC.charCodeAt(k)) return null;
  }
  const archiveBytes = BIG_ENDIAN.u32(bytes, at + 8);
  const tableOffset = BIG_ENDIAN.u32(bytes, at + 12);
  const tableBytes = BIG_ENDIAN.u32(bytes, at + 16);
  const start = offset + COOKIE_BYTES - archiveBytes;
  if (start < 0 || tableBytes === 0 || tableOffset + tableBytes + COOKIE_BYTES > archiveBytes) return null;
  return { start, tableOffset, tableBytes };
}
