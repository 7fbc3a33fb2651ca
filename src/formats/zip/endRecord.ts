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
  /** The end record; with its ZIP64 twin before it; with its comment behind it. */
  readonly record: number;
  readonly recordStart: number;
  readonly recordEnd: number;
  readonly faults: readonly ContainerFault[];
}

/**
 * Finds the central directory from the end of the file (APPNOTE 4.3.14 to 4.3.16). Of several end
 * records that lead to one, the last whose comment ends with the file counts, else the last. That
 * something like another one stands behind the directory is a fault, for the next reader may take it.
 *
 * @returns null where no end record leads to a directory
 */
export function findDirectory(window: Window): Directory | null {
  const marks = endMarks(window);
  const found = marks.map((at) => readEnd(window, at)).filter((directory) => directory !== null);
  const chosen = found.findLast((directory) => directory.recordEnd === window.size) ?? found.at(-1);
  if (chosen === undefined) return null;
  // Archives that are stored in this one have end records too, but within its members.
  const other = marks.find((at) => at >= chosen.end && at !== chosen.record);
  if (other === undefined) return chosen;
  return { ...chosen, faults: [...chosen.faults, corrupt('a second end record', other)] };
}

/** Where the last bytes look like an end record, in ascending order. */
function endMarks(window: Window): number[] {
  const length = Math.min(END_BYTES + COMMENT_BYTES, window.size);
  const from = window.size - length;
  const tail = window.at(from, length);
  const offsets: number[] = [];
  if (tail === null) return offsets;
  for (let at = tail.indexOf(END_MARK); at >= 0; at = tail.indexOf(END_MARK, at + 4)) offsets.push(from + at);
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
  if (recordEnd > window.size) return null;
  const wides = readWideEnds(window, at);
  const wide = wides?.[0] ?? null;
  const { disk, entries, bytes, offset } = wide?.fields ?? narrow;
  const faults: ContainerFault[] = [];
  if (disk !== 0) faults.push(faultOf('unsupported', 'one of several volumes', at));
  if (wides?.length === 0) faults.push(corrupt('no ZIP64 end record stands where its locator says', at));
  if (wides?.length === 2) faults.push(corrupt('two ZIP64 end records', at));
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
    record: at,
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

interface WideEnd {
  readonly at: number;
  readonly fields: EndFields;
}

/**
 * The ZIP64 end records of an end record with a locator: where that says, and right before it, as
 * readers look here or there; null without a locator.
 */
function readWideEnds(window: Window, end: number): WideEnd[] | null {
  const locator = window.at(end - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator === null || locator.readUInt32LE(0) !== LOCATOR_SIGNATURE) return null;
  const places = new Set([readWide(locator, 8), end - LOCATOR_BYTES - WIDE_END_BYTES]);
  const found: WideEnd[] = [];
  for (const at of places) {
    const record = at + WIDE_END_BYTES + LOCATOR_BYTES <= end ? window.at(at, WIDE_END_BYTES) : null;
    if (record?.readUInt32LE(0) !== WIDE_END_SIGNATURE) continue;
    const fields: EndFields = {
      disk: record.readUInt32LE(16),
      entries: readWide(record, 32),
      bytes: readWide(record, 40),
      offset: readWide(record, 48),
    };
    found.push({ at, fields });
  }
  return found;
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
