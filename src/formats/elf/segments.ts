import type { Tables } from '../tables.ts';
import { eachEntry } from './entries.ts';
import { entryBytes } from './header.ts';
import type { ElfHeader } from './header.ts';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;

/** Loadable segments kept. The kernel takes 64 KiB of program headers, which is far less. */
const MAX_LOADS = 65_536;
/** Program headers of one other kind that are followed; more than one has no use. */
const MAX_FOLLOWED = 4;
/** Loaders map whole pages, so bytes around a segment in its pages are reachable too. */
const PAGE = 4096n;

/** A program header. Source: System V gABI, chapter 5, "Program Header". */
export interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  /** Bytes in the file. */
  readonly bytes: number;
}

/** The program headers that say where strings are. */
export interface Segments {
  readonly loads: readonly Segment[];
  readonly dynamics: readonly Segment[];
  readonly interpreters: readonly Segment[];
}

/** Parses the program header at `at`. */
export function parseSegment(header: ElfHeader, bytes: Uint8Array, at: number): Segment {
  const { wide, integers } = header;
  return {
    type: integers.u32(bytes, at),
    offset: wide ? integers.u64(bytes, at + 8) : integers.u32(bytes, at + 4),
    address: integers.address(bytes, at + (wide ? 16 : 8), wide),
    bytes: wide ? integers.u64(bytes, at + 32) : integers.u32(bytes, at + 16),
  };
}

/** Whether a program header is of a kind whose place matters here. */
export const isDynamic = (segment: Segment): boolean => segment.type === PT_DYNAMIC;

/**
 * Reads the program headers.
 *
 * @param count the true count (see PN_XNUM)
 */
export function readSegments(tables: Tables, header: ElfHeader, count: number): Segments {
  const loads: Segment[] = [];
  const dynamics: Segment[] = [];
  const interpreters: Segment[] = [];
  const least = entryBytes(header.wide).segment;
  const { offset, entryBytes: stride } = header.segments;
  if (count > 0 && offset > 0) {
    if (stride !== least) tables.corrupt(offset, 'program headers of a wrong size');
    if (stride >= least) {
      let dropped = false;
      eachEntry(tables, { offset, entryBytes: stride, count }, 'program headers', (bytes, at) => {
        const segment = parseSegment(header, bytes, at);
        const { type } = segment;
        if (type === PT_LOAD) {
          if (loads.length < MAX_LOADS) loads.push(segment);
          else dropped = true;
          return true;
        }
        const kept = type === PT_DYNAMIC ? dynamics : type === PT_INTERP ? interpreters : null;
        if (kept === null) return true;
        if (kept.length < MAX_FOLLOWED) kept.push(segment);
        else tables.corrupt(segment.offset, 'too many program headers of one kind');
        return true;
      });
      // A core file may have any number of them, and nothing to look up.
      if (dropped && dynamics.length > 0) tables.corrupt(offset, 'too many loadable segments');
    }
  }
  return { loads, dynamics, interpreters };
}

/** Whether a segment has the address among its own bytes of the file, and not only in its pages. */
export function isInSegment(loads: readonly Segment[], address: bigint): boolean {
  return loads.some((load) => address >= load.address && address < load.address + BigInt(load.bytes));
}

/** A place in the file, with the bytes that follow it in the same segment and its last page, or in the section. */
export interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Where the bytes of a virtual address lie in the file: in every segment that maps it, because
 * readers differ in which of several overlapping ones they take.
 */
export function placesOf(loads: readonly Segment[], address: bigint): Place[] {
  const places: Place[] = [];
  const add = (load: Segment, end: bigint): void => {
    const offset = load.offset + Number(address - load.address);
    const known = places.some((place) => place.offset === offset);
    if (offset < 0 || known || places.length >= MAX_FOLLOWED) return;
    places.push({ offset, bytes: Number(end - address) });
  };
  const filled = loads.filter((load) => load.bytes > 0);
  for (const load of filled) {
    if (isInSegment([load], address)) add(load, load.address + BigInt(load.bytes));
  }
  if (places.length > 0) return places;
  for (const load of filled) {
    const start = load.address - (load.address % PAGE);
    const last = load.address + BigInt(load.bytes) + PAGE - 1n;
    const end = last - (last % PAGE);
    if (address >= start && address < end) add(load, end);
  }
  return places;
}
