import type { Digest } from '../../report/ids.ts';
import { printableJson } from '../../report/printable.ts';
import { recordSchema, type AuditRecord } from './record.ts';

/** What the first record of a trail has for the hash of the one before it. */
export const NO_HASH = '0'.repeat(64);

/*
 * A line is a JSON object of a known shape: `…,"prev":"<hash>","hash":"<hash>"}`. The hash is BLAKE3 of
 * the line without it, `…,"prev":"<hash>"}`, byte for byte, so that nothing depends on how JSON is read.
 */
const PREV_HEAD = Buffer.from(',"prev":"');
const HASH_HEAD = Buffer.from('","hash":"');
const END = Buffer.from('"}');
const DIGITS = 64;

/** Where the parts of a line stand, from its end. */
const HASH_AT = END.length + DIGITS;
const HASH_HEAD_AT = HASH_AT + HASH_HEAD.length;
const PREV_AT = HASH_HEAD_AT + DIGITS;
const PREV_HEAD_AT = PREV_AT + PREV_HEAD.length;

/** The line of a record, with the line feed, and its hash. */
export function sealed(
  record: AuditRecord,
  digest: Digest,
): { readonly line: string; readonly hash: string } {
  // the order of the keys is what a line is known by
  const { prev, ...rest } = recordSchema().parse(record);
  const body = printableJson({ ...rest, prev });
  const hash = digest(Buffer.from(body));
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}\n`, hash };
}

/**
 * The hash of a line that follows the record with the hash `prev`, or why it is not such a line.
 * @param line without the line feed
 */
export function openedSeal(line: Buffer, prev: string, digest: Digest): { hash: string } | { fault: string } {
  const length = line.length;
  const shaped =
    length > PREV_HEAD_AT &&
    line.subarray(length - END.length).equals(END) &&
    line.subarray(length - HASH_HEAD_AT, length - HASH_AT).equals(HASH_HEAD) &&
    line.subarray(length - PREV_HEAD_AT, length - PREV_AT).equals(PREV_HEAD);
  if (!shaped) return { fault: 'is no record' };
  const hash = line.toString('latin1', length - HASH_AT, length - END.length);
  const body = Buffer.allocUnsafe(length - HASH_HEAD_AT + END.length);
  line.copy(body, 0, 0, length - HASH_HEAD_AT);
  END.copy(body, length - HASH_HEAD_AT);
  if (digest(body) !== hash) return { fault: 'was changed: its hash is another' };
  if (line.toString('latin1', length - PREV_AT, length - HASH_HEAD_AT) !== prev) {
    return { fault: 'does not follow the record before it' };
  }
  return { hash };
}

/** The record of a line whose seal was opened, or why it is none. */
export function recordOf(line: Buffer): { record: AuditRecord } | { fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return { fault: 'is no JSON' };
  }
  const { hash: _hash, ...rest } = Object(value) as Record<string, unknown>;
  const parsed = recordSchema().safeParse(rest);
  return parsed.success ? { record: parsed.data } : { fault: 'is no record that this nar-scan knows' };
}
