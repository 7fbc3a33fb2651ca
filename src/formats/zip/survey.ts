import { LIMITS } from '../../model/limits.ts';
import type { ContainerFault } from '../container.ts';
import { corrupt, faultOf } from './faults.ts';
import type { Directory } from './endRecord.ts';
import { readCentralLink } from './headers.ts';
import type { Window } from './window.ts';

/** A signature over the central directory, APPNOTE 4.3.13, of which no tool is known to check it. */
const SIGNATURE_RECORD = 0x0505_4b50;

/** Where the members of an archive begin, looked at before any of them is read. */
export interface Survey {
  /** Central headers that stand in a row. */
  readonly entries: number;
  /** Offset behind the last of them. */
  readonly end: number;
  /** Where the members' local headers stand. */
  readonly starts: Starts;
  /** No entry was left out. */
  readonly whole: boolean;
  readonly faults: readonly ContainerFault[];
}

/** Walks the central directory from header to header. */
export function survey(window: Window, directory: Directory): Survey {
  const { start, end, base } = directory;
  let offsets = new Float64Array(Math.min(1024, Math.ceil((end - start) / 46)));
  let entries = 0;
  let at = start;
  const faults: ContainerFault[] = [];
  for (let link = readCentralLink(window, at, end); link !== null; link = readCentralLink(window, at, end)) {
    if (entries === LIMITS.zipEntries) {
      faults.push(faultOf('limit-entries', `more than ${entries} members`, at));
      return { entries, end: at, starts: new Starts(offsets.subarray(0, entries)), whole: false, faults };
    }
    if (entries === offsets.length) {
      const longer = new Float64Array(Math.min(2 * entries, LIMITS.zipEntries));
      longer.set(offsets);
      offsets = longer;
    }
    offsets[entries] = base + link.local;
    entries += 1;
    at = link.next;
  }
  if (at !== end && window.at(at, 4)?.readUInt32LE(0) !== SIGNATURE_RECORD) {
    faults.push(corrupt('the central directory is damaged', at));
  } else if ((directory.wide ? entries : entries % 0x1_0000) !== directory.entries) {
    faults.push(
      corrupt(`${entries} members are listed, ${directory.entries} announced`, directory.recordStart),
    );
  }
  return { entries, end: at, starts: new Starts(offsets.subarray(0, entries)), whole: true, faults };
}

/** The places where members begin, in ascending order: eight bytes a member. */
class Starts {
  readonly #offsets: Float64Array;
  readonly #taken: Uint8Array;

  /** @param offsets in any order; sorted in place */
  constructor(offsets: Float64Array) {
    this.#offsets = offsets;
    if (offsets.some((offset, index) => index > 0 && offset < offsets[index - 1]!)) offsets.sort();
    this.#taken = new Uint8Array(Math.ceil(offsets.length / 8));
  }

  get first(): number {
    return this.#offsets[0] ?? Infinity;
  }

  /** The place behind `offset` that is next; Infinity where there is none. */
  after(offset: number): number {
    return this.#offsets[this.#rank(offset, true)] ?? Infinity;
  }

  /** Marks a place as read. @returns false if it was already, or is none */
  take(offset: number): boolean {
    const rank = this.#rank(offset, false);
    if (this.#offsets[rank] !== offset) return false;
    const mask = 1 << (rank & 7);
    const byte = this.#taken[rank >>> 3] ?? 0;
    this.#taken[rank >>> 3] = byte | mask;
    return (byte & mask) === 0;
  }

  /** Places that were not taken, once each. */
  *left(): Generator<number, void, undefined> {
    for (const [rank, offset] of this.#offsets.entries()) {
      const isTaken = ((this.#taken[rank >>> 3] ?? 0) & (1 << (rank & 7))) !== 0;
      if (!isTaken && offset !== this.#offsets[rank - 1]) yield offset;
    }
  }

  /** How many places lie before `offset`, with `inclusive` also those at it. */
  #rank(offset: number, inclusive: boolean): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const value = this.#offsets[middle]!;
      if (value < offset || (inclusive && value === offset)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
