import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Range, RangeReader } from '../../src/formats/ranges.ts';
import { LIMITS } from '../../src/model/limits.ts';

function demandInside(offset: number, length: number, size: number): void {
  if (!(Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0)) {
    throw new Error(`not a range: ${offset}+${length}`);
  }
  if (offset + length > size) throw new Error(`asked outside the file: ${offset}+${length} of ${size}`);
}

/** A reader that has everything, and hands out each view for one call only. */
export function wholeReader(bytes: Uint8Array): RangeReader {
  let last: Uint8Array | null = null;
  return {
    size: bytes.length,
    read(offset, length) {
      demandInside(offset, length, bytes.length);
      last?.fill(0xa5);
      // slice() of a Buffer would share its memory
      last = new Uint8Array(bytes.subarray(offset, offset + length));
      return last;
    },
  };
}

/** What is left of a streamed file: head, tail and planned ranges. */
export function streamedReader(
  bytes: Uint8Array,
  plan: (head: Uint8Array, size: number, tailBytes?: number) => Range[],
  headBytes: number = LIMITS.binaryHeadBytes,
  tailBytes: number = LIMITS.binaryTailBytes,
): RangeReader {
  const size = bytes.length;
  const head = Math.min(headBytes, size);
  const planned = plan(bytes.slice(0, head), size, tailBytes);
  const tail = Math.min(tailBytes, size);
  const kept = new Uint8Array(size);
  for (const { offset, length } of [
    { offset: 0, length: head },
    { offset: size - tail, length: tail },
    ...planned,
  ]) {
    demandInside(offset, length, size);
    kept.fill(1, offset, offset + length);
  }
  const whole = wholeReader(bytes);
  return {
    size,
    read(offset, length) {
      const view = whole.read(offset, length);
      return kept.subarray(offset, offset + length).includes(0) ? null : view;
    },
  };
}

/** Runs `use` with a reader over a file on disk. */
export function withFileReader<T>(path: string, use: (reader: RangeReader) => T): T {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    return use({
      size,
      read(offset, length) {
        demandInside(offset, length, size);
        const bytes = new Uint8Array(length);
        return readSync(descriptor, bytes, 0, length, offset) === length ? bytes : null;
      },
    });
  } finally {
    closeSync(descriptor);
  }
}

/** The NUL-terminated string of a file at an offset, or the `length` bytes there. */
export function textAt(bytes: Uint8Array, field: { offset: number; length: number | null }): string {
  const end = field.length === null ? bytes.indexOf(0, field.offset) : field.offset + field.length;
  return Buffer.from(bytes.slice(field.offset, end < 0 ? bytes.length : end)).toString('latin1');
}
