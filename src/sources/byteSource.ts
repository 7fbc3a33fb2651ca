import { readSync } from 'node:fs';
import type { RangeReader } from '../formats/ranges.ts';
import { FileRange } from './fileContents.ts';

/** How often an empty pipe is looked at before the first nap: a writer is seldom far behind. */
const LOOKS = 16;
/** Naps while it stays empty. */
const SHORTEST_NAP_MS = 0.02;
const NAP_GROWTH = 1.5;
const LONGEST_NAP_MS = 2;
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

/** Bytes in order, read synchronously into a given place. */
export interface ByteSource {
  /** How many there are, as far as that is known before. */
  readonly length: number | null;
  /** Reads up to `length` bytes to memory[at …]; 0 only at the end. Throws the system's error. */
  read(memory: Uint8Array, at: number, length: number): number;
  /** Random access to what lies at [offset, offset + size), or null for a pipe. */
  range(offset: number, size: number): RangeReader | null;
}

/** What a source throws when the run was ended while it waited for more. */
export class RunEnded extends Error {}

/** An open file, a pipe, a socket. */
export class FdSource implements ByteSource {
  readonly length: number | null;
  readonly #fd: number;
  readonly #ended: () => boolean;

  /**
   * @param length null: it is no file, and cannot be read again
   * @param ended whether the run was ended; asked only while a non-blocking descriptor has nothing
   */
  constructor(fd: number, length: number | null, ended: () => boolean) {
    this.#fd = fd;
    this.length = length;
    this.#ended = ended;
  }

  /** @throws RunEnded */
  read(memory: Uint8Array, at: number, length: number): number {
    let nap = SHORTEST_NAP_MS;
    for (let looks = 1; ; looks++) {
      try {
        return readSync(this.#fd, memory, at, length, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      if (this.#ended()) throw new RunEnded();
      if (looks < LOOKS) continue;
      Atomics.wait(NEVER_WOKEN, 0, 0, nap);
      nap = Math.min(nap * NAP_GROWTH, LONGEST_NAP_MS);
    }
  }

  range(offset: number, size: number): RangeReader | null {
    return this.length === null ? null : new FileRange(this.#fd, offset, size);
  }
}

/** Fills memory[at, at + length) as far as the source goes; the count is less than `length` only at its end. */
export function readFull(source: ByteSource, memory: Uint8Array, at: number, length: number): number {
  let count = 0;
  while (count < length) {
    const more = source.read(memory, at + count, length - count);
    if (more === 0) break;
    count += more;
  }
  return count;
}
