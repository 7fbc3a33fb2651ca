import type { ContainerFault } from '../container.ts';
import { CENTRAL_SIGNATURE, readWide, WIDE } from './headers.ts';
import { corrupt, faultOf } from './faults.ts';
import type { Window } from './window.ts';

const END_BYTES = 22;
const COMMENT_BYTES = 0xffff;
const END_MARK = Buffer.from('PK\x05\x06', 'latin1');
const LOCATOR_SIGNATURE = 0x0706_4b50;
const LOCATOR_BYTES = 20;
const WIDE_END_SIGNATURE = 0x0606_4b50;
const WIDE_END_BYTES = 56;

/** The central directory as an end record describes it. Offsets are those of the file. */
export interface Directory {
  readonly start: number;
  readonly end: number;
  /** Entries as declared; modulo 65536 where the record is not a ZIP64 one. */
  readonly entries: number;
  readonly wide: boolean;
  /** What offsets count from: 0, or the length of what stands before the archive. */
  readonly base: number;
  /** The end record, without and with its comment. */
  readonly recordStart: number;
  readonly recordEnd: number;
  readonly faults: readonly ContainerFault[];
}

/**
 * Finds the central directory from the end of the file (APPNOTE 4.3.14 to 4.3.16). Of several end
 * records that lead to one, the last whose comment ends with the file counts, else the last; that
 * there are several is a fault, for the next reader may take another.
 *
 * @returns null where no end record leads to a directory
 */
export function findDirectory(window: Window): Directory | null {
  const found = endRecords(window)
    .map((at) => readEnd(window, at))
    .filter((directory) => directory !== null);
  const chosen = found.findLast((directory) => directory.recordEnd === window.size) ?? found.at(-1);
  if (chosen === undefined) return null;
  // Archives that are stored in this one have end records too, but within its members.
  const others = found.filter((other) => other !== chosen && other.recordStart >= chosen.end);
  const faults = others.slice(0, 1).map(({ recordStart }) => corrupt('a second end record', recordStart));
  return { ...chosen, faults: [...chosen.faults, ...faults] };
}

/** Offsets of end records, in ascending order; their comments are within the file. */
function endRecords(window: Window): number[] {
  const length = Math.min(END_BYTES + COMMENT_BYTES, window.size);
  const from = window.size - length;
  const tail = window.at(from, length);
  const offsets: number[] = [];
  if (tail === null) return offsets;
  for (
    let at = tail.indexOf(END_MARK);
    at >= 0 && at + END_BYTES <= length;
    at = tail.indexOf(END_MARK, at + 4)
  ) {
    if (at + END_BYTES + tail.readUInt16LE(at + 20) <= length) offsets.push(from + at);
  }
  return offsets;
}

interface EndFields {
  readonly disk: number;
  readonly entries: number;
  readonly bytes: number;
  readonly offset: number;
}

function readEnd(window: Window, at: number): Directory | null {
  const record = window.at(at, END_BYTES);
  if (record === null) return null;
  const narrow: EndFields = {
    disk: record.readUInt16LE(4),
    entries: record.readUInt16LE(10),
    bytes: record.readUInt32LE(12),
    offset: record.readUInt32LE(16),
  };
  const recordEnd = at + END_BYTES + record.readUInt16LE(20);
  const wide = readWideEnd(window, at);
  const { disk, entries, bytes, offset } = wide?.fields ?? narrow;
  const faults: ContainerFault[] = [];
  if (disk !== 0) faults.push(faultOf('unsupported', 'one of several volumes', at));
  if (wide !== null && !agrees(narrow, wide.fields)) {
    faults.push(corrupt('the end record and its ZIP64 twin disagree', at));
  }
  const recordStart = wide?.at ?? at;
  // Readers look right before the end record, or where it says; what stands before the archive
  // makes these two places one, or moves everything by its length.
  const near = recordStart - bytes;
  const isNear = near >= 0 && isDirectory(window, near, bytes, recordStart);
  const isNamed = isDirectory(window, offset, bytes, recordStart);
  if (!isNear && !isNamed) return null;
  if (isNear && isNamed && near !== offset && bytes > 0) faults.push(corrupt('two central directories', at));
  const start = isNear ? near : offset;
  const base = isNear ? near - offset : 0;
  if (base < 0) faults.push(corrupt('the central directory is not where the end record says', at));
  return {
    start,
    end: start + bytes,
    entries,
    wide: wide !== null,
    base: Math.max(base, 0),
    recordStart,
    recordEnd,
    faults,
  };
}

function isDirectory(window: Window, at: number, bytes: number, limit: number): boolean {
  if (at + bytes > limit) return false;
  if (bytes === 0) return true;
  return window.at(at, 4)?.readUInt32LE(0) === CENTRAL_SIGNATURE;
}

/** The ZIP64 end record of an end record that has one: where its locator says, or right before that. */
function readWideEnd(
  window: Window,
  end: number,
): { readonly at: number; readonly fields: EndFields } | null {
  const locator = window.at(end - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator === null || locator.readUInt32LE(0) !== LOCATOR_SIGNATURE) return null;
  for (const at of [readWide(locator, 8), end - LOCATOR_BYTES - WIDE_END_BYTES]) {
    const record = at + WIDE_END_BYTES + LOCATOR_BYTES <= end ? window.at(at, WIDE_END_BYTES) : null;
    if (record?.readUInt32LE(0) !== WIDE_END_SIGNATURE) continue;
    const fields: EndFields = {
      disk: record.readUInt32LE(16),
      entries: readWide(record, 32),
      bytes: readWide(record, 40),
      offset: readWide(record, 48),
    };
    return { at, fields };
  }
  return null;
}

/** Whether the narrow fields say the same, or leave it to the wide ones. */
function agrees(narrow: EndFields, wide: EndFields): boolean {
  const same = (value: number, full: number, placeholder: number): boolean =>
    value === full || value === placeholder;
  return (
    same(narrow.disk, wide.disk, 0xffff) &&
    same(narrow.entries, wide.entries, 0xffff) &&
    same(narrow.bytes, wide.bytes, WIDE) &&
    same(narrow.offset, wide.offset, WIDE)
  );
}
