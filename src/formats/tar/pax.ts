import type { ByteString } from '../../model/bytes.ts';
import { byteAt } from '../integers.ts';
import { byteStringOf } from '../memberBody.ts';

/** The records of PAX headers that say what a member is called, where it leads and how long it is. */
const KEYS = ['path', 'linkpath', 'size', 'GNU.sparse.name', 'GNU.sparse.major', 'GNU.sparse.minor'] as const;
export type PaxKey = (typeof KEYS)[number];

export type PaxRecords = Partial<Record<PaxKey, ByteString>>;

export interface Pax {
  /** An empty value takes back a global one. */
  readonly records: PaxRecords;
  /** What is wrong with the header, if anything is; records before that are in `records`. */
  readonly fault: string | null;
}

const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/**
 * Reads the body of a PAX header: records of `length key=value\n`, where the length counts the whole
 * record (POSIX pax(1), pax Extended Header).
 */
export function readPax(bytes: Uint8Array): Pax {
  const records: PaxRecords = {};
  let fault: string | null = null;
  for (let start = 0; start < bytes.length;) {
    const record = recordAt(bytes, start);
    if (record === null) return { records, fault: 'a PAX record is not as its length says' };
    const key = KEYS.find((known) => known === record.key);
    if (key !== undefined) {
      const value = byteStringOf(bytes, record.value, record.end - 1);
      if (value.includes('\0')) fault = `NUL in the PAX record ${key}`;
      records[key] = value;
    }
    start = record.end;
  }
  return { records, fault };
}

/** Longer keys are none of ours, and are not looked at. */
const KEY_BYTES = 32;

function recordAt(bytes: Uint8Array, start: number): { key: string; value: number; end: number } | null {
  let at = start;
  let length = 0;
  for (; at < bytes.length && length <= bytes.length; at += 1) {
    const digit = byteAt(bytes, at) - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  const end = start + length;
  if (at === start || byteAt(bytes, at) !== 0x20 || end > bytes.length || byteAt(bytes, end - 1) !== NEWLINE)
    return null;
  const key = at + 1;
  const equals = bytes.subarray(key, Math.max(key, end - 1)).indexOf(EQUALS);
  if (equals <= 0) return null;
  return { key: byteStringOf(bytes, key, key + Math.min(equals, KEY_BYTES)), value: key + equals + 1, end };
}
