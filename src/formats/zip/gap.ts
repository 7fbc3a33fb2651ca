import { isLocalFileHeader } from '../plausible.ts';
import type { ContainerItem } from '../container.ts';
import { corrupt } from './faults.ts';
import {
  CENTRAL_SIGNATURE,
  DESCRIPTOR_SIGNATURE,
  FLAG,
  LOCAL_BYTES,
  LOCAL_SIGNATURE,
  METHOD,
  readLocalHeader,
} from './headers.ts';
import type { LocalHeader } from './headers.ts';
import { memberItems } from './member.ts';
import type { Archive, MemberData } from './member.ts';
import type { Window } from './window.ts';

const LOCAL_MARK = Buffer.from('PK\x03\x04', 'latin1');

/** What comes behind the data of a member: its descriptor, the next local header, the directory. */
const RECORD_SIGNATURES: ReadonlySet<number> = new Set([
  DESCRIPTOR_SIGNATURE,
  LOCAL_SIGNATURE,
  CENTRAL_SIGNATURE,
]);

/** Flags that have a meaning. */
const KNOWN_FLAGS = 0x287f;

/**
 * Reads the members that a part of the file holds by their local headers alone: those that the
 * central directory does not list, or all where it cannot be read. Time is linear in the part.
 *
 * @param listed says that finding them is no fault
 * @returns how many there were
 */
export async function* membersBetween(
  archive: Archive,
  from: number,
  to: number,
  listed: boolean,
): AsyncGenerator<ContainerItem, number, undefined> {
  let count = 0;
  let header = nextHeader(archive.window, from, to, !listed);
  while (header !== null) {
    const { at, local } = header;
    let next = local.data;
    if (!isFiller(local)) {
      count += 1;
      const data = dataOf(archive.window, local, to);
      const progress = yield* memberItems(archive, data);
      if (!listed) yield corrupt('a member that the central directory does not list', at, local.name);
      next = local.data + (data.open ? progress.used : data.length);
    }
    header = nextHeader(archive.window, next, to, !listed);
  }
  return count;
}

/** Tools that align members fill the room between them with headers of nothing. */
function isFiller({ name, packed, size, flags }: LocalHeader): boolean {
  return name === '' && packed === 0 && size === 0 && (flags & FLAG.descriptor) === 0;
}

function dataOf(window: Window, local: LocalHeader, to: number): MemberData {
  const { name, method, flags, data, packed, size, crc } = local;
  const left = Math.max(0, to - data);
  const common = { name, mode: 0, offset: data, method, flags };
  if ((flags & FLAG.descriptor) === 0 || packed !== 0) {
    return { ...common, length: Math.min(left, packed), size, crc, open: false };
  }
  const isStored = method === METHOD.stored;
  const length = isStored ? nextRecord(window, data, to) - data : left;
  return { ...common, length, size: null, crc: null, open: !isStored };
}

/** Where the next record of the archive seems to stand; `to` if there is none. */
function nextRecord(window: Window, from: number, to: number): number {
  for (let start = from; start + 4 <= to;) {
    const held = window.from(start, 4)?.subarray(0, to - start);
    if (held === undefined) break;
    const found = held.indexOf('PK', 0, 'latin1');
    if (found < 0) start += held.length - 1;
    else if (found + 4 > held.length) start += Math.max(found, 1);
    else if (RECORD_SIGNATURES.has(held.readUInt32LE(found))) return start + found;
    else start += found + 2;
  }
  return to;
}

/**
 * The next local header at or behind `at`. Its fields must be sound, for these can be any bytes.
 *
 * @param expected right at `at`, where a reader of the stream looks, any will do
 */
function nextHeader(
  window: Window,
  at: number,
  to: number,
  expected: boolean,
): { readonly at: number; readonly local: LocalHeader } | null {
  let start = at;
  while (start + LOCAL_BYTES <= to) {
    const bytes = window.from(start, LOCAL_BYTES);
    if (bytes === null) return null;
    const held = bytes.subarray(0, to - start);
    const found = held.indexOf(LOCAL_MARK);
    if (found < 0 || found + LOCAL_BYTES > held.length) {
      start += found < 0 ? held.length - (LOCAL_MARK.length - 1) : found;
      continue;
    }
    const isSound =
      (expected && start + found === at) ||
      (isLocalFileHeader(held, found, held.length - found, to - start - found) &&
        (held.readUInt16LE(found + 6) & ~KNOWN_FLAGS) === 0);
    const local = isSound ? readLocalHeader(window, start + found) : null;
    if (local !== null) return { at: start + found, local };
    start += found + LOCAL_MARK.length;
  }
  return null;
}
