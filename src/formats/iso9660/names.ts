import type { ByteString } from '../../model/bytes.ts';
import type { DirectoryRecord } from './record.ts';
import { FLAG } from './record.ts';

/** The number of a file's version, which no system shows. */
const VERSION = /;[0-9]{1,5}$/;

/** The name of a record as the tree it is in writes it, Joliet's in UTF-8. */
export function nameOf(record: DirectoryRecord, joliet: boolean): ByteString {
  const name = joliet ? fromUcs2(record.name) : record.name.toString('latin1');
  if ((record.flags & FLAG.directory) !== 0) return name;
  const plain = name.replace(VERSION, '');
  return !joliet && plain.endsWith('.') ? plain.slice(0, -1) : plain;
}

function fromUcs2(bytes: Buffer): ByteString {
  const swapped = Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
  return Buffer.from(swapped.toString('utf16le'), 'utf8').toString('latin1');
}

/** Whether a name cannot be one in a directory: it leads elsewhere, or C would cut it short. */
export function isBadName(name: ByteString): boolean {
  return name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0');
}
