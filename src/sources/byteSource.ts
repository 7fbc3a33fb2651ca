import { readSync } from 'node:fs';
import type { RangeReader } from '../formats/ranges.ts';
import { FileRange } from './fileContents.ts';

/** Bytes in order, read synchronously into a given place. */
export interface ByteSource {
  /** Reads up to `length` bytes to memory[at …]; 0 only at the end. Throws the system's error. */
  read(memory: Uint8Array, at: number, length: number): number;
  /** Random access to what lies at [offset, offset + size), or null for a pipe. */
  range(offset: number, size: number): RangeReader | null;
}

/** How long to wait for more from a non-blocking pipe, in milliseconds. */
const RETRY_MS = 2;

/** An open file, or a pipe such as standard input. */
export class FdSource implements ByteSource {
  readonly #fd: number;
  readonly #seekable: boolean;
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));

  constructor(fd: number, seekable: boolean) {
    this.#fd = fd;
    this.#seekable = seekable;
  }

  read(memory: Uint8Array, at: number, length: number): number {
    for (;;) {
      try {
        return readSync(this.#fd, memory, at, length, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        // another program made this pipe non-blocking; it is empty just now
        Atomics.wait(this.#nap, 0, 0, RETRY_MS);
      }
    }
  }

  range(offset: number, size: number): RangeReader | null {
    return this.#seekable ? new FileRange(this.#fd, offset, size) : null;
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
