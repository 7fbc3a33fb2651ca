import type { Input } from '../compression/input.ts';
import { byteAt } from '../integers.ts';
import { endsEarly } from '../memberBody.ts';
import { RECORD_BYTES } from './header.ts';

/** Whether one more record of the map follows. */
const GOES_ON = 504;

/**
 * Passes over the records that hold more of the map of GNU's old sparse format (GNU tar, tar.h,
 * `struct sparse_header`). They are not counted in the member's size.
 *
 * @throws NarScanError CONTAINER_TRUNCATED, what the source throws
 */
export async function passMapRecords(input: Input): Promise<void> {
  for (let more = true; more;) {
    if (!(await input.fill(RECORD_BYTES))) throw endsEarly(input, 'tar');
    more = byteAt(input.bytes, input.start + GOES_ON) !== 0;
    input.start += RECORD_BYTES;
  }
}

const NEWLINE = 0x0a;

/**
 * Passes over the map that begins the contents in GNU's sparse format 1.0: decimal numbers, each with a
 * newline, the first says how many pairs follow, filled up to whole records (GNU tar manual, PAX 1).
 *
 * @param size bytes of the contents, map included
 * @returns bytes passed, and whether they were such a map
 * @throws NarScanError CONTAINER_TRUNCATED, what the source throws
 */
export async function passMapInside(input: Input, size: number): Promise<{ bytes: number; valid: boolean }> {
  let left: number | null = null;
  let number: number | null = null;
  for (let bytes = 0; bytes + RECORD_BYTES <= size;) {
    if (!(await input.fill(RECORD_BYTES))) throw endsEarly(input, 'tar');
    const end = input.start + RECORD_BYTES;
    for (let at = input.start; at < end && left !== 0; at += 1) {
      const digit = byteAt(input.bytes, at) - 0x30;
      if (digit >= 0 && digit <= 9) number = Math.min((number ?? 0) * 10 + digit, Number.MAX_SAFE_INTEGER);
      else if (digit !== NEWLINE - 0x30 || number === null) return { bytes, valid: false };
      else {
        left = left === null ? number * 2 : left - 1;
        number = null;
      }
    }
    input.start = end;
    bytes += RECORD_BYTES;
    if (left === 0) return { bytes, valid: true };
  }
  return { bytes: size - (size % RECORD_BYTES), valid: false };
}
