import { isLocalFileHeader } from '../plausible.ts';
import type { ContainerItem } from '../container.ts';
import { corrupt } from './faults.ts';
import { FLAG, LOCAL_BYTES, METHOD, readLocalHeader } from './headers.ts';
import type { LocalHeader } from './headers.ts';
import { memberItems } from './member.ts';
import type { Archive, MemberData } from './member.ts';
import type { Window } from './window.ts';

const LOCAL_MARK = Buffer.from('PK\x03\x04', 'latin1');

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
  let header = nextHeader(archive.window, from, from, to);
  while (header !== null) {
    const { at, local } = header;
    let next = local.data;
    if (!isFiller(local)) {
      count += 1;
      const data = dataOf(local, to);
      const progress = yield* memberItems(archive, data);
      if (!listed) yield corrupt('a member that the central directory does not list', at, local.name);
      next = local.data + (data.open ? progress.used : data.length);
    }
    header = nextHeader(archive.window, next, from, to);
  }
  return count;
}

/** Tools that align members fill the room between them with headers of nothing. */
function isFiller({ name, packed, size, flags }: LocalHeader): boolean {
  return name === '' && packed === 0 && size === 0 && (flags & FLAG.descriptor) === 0;
}

function dataOf(local: LocalHeader, to: number): MemberData {
  const left = Math.max(0, to - local.data);
  const isUnknown = (local.flags & FLAG.descriptor) !== 0 && local.packed === 0;
  return {
    name: local.name,
    mode: 0,
    offset: local.data,
    length: isUnknown ? left : Math.min(left, local.packed),
    method: local.method,
    flags: local.flags,
    size: isUnknown ? null : local.size,
    crc: isUnknown ? null : local.crc,
    open: isUnknown && local.method !== METHOD.stored,
  };
}

/**
 * The next local header at or behind `at`. Right at the beginning of the part, and so where a reader
 * of the stream looks, any will do; later on its fields must be sound, for these can be any bytes.
 */
function nextHeader(
  window: Window,
  at: number,
  from: number,
  to: number,
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
      isLocalFileHeader(held, found, held.length - found, to - start - found) &&
      (start + found === from || (held.readUInt16LE(found + 6) & ~KNOWN_FLAGS) === 0);
    const local = isSound ? readLocalHeader(window, start + found) : null;
    if (local !== null) return { at: start + found, local };
    start += found + LOCAL_MARK.length;
  }
  return null;
}
