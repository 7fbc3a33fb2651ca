import { LITTLE_ENDIAN } from '../integers.ts';

export interface SnappyResult {
  /** Where the decoded bytes end in `to`, also of a damaged block. */
  readonly end: number;
  readonly valid: boolean;
}

/**
 * Decodes one snappy block (snappy, format_description.txt) into `to` from its beginning on. A
 * block that is longer than `to` is damaged, and so is one that is not as long as it says.
 */
export function decodeSnappyBlock(from: Uint8Array, to: Uint8Array): SnappyResult {
  let read = 0;
  let announced = 0;
  for (let shift = 0; ; shift += 7) {
    if (read === from.length || shift > 28) return { end: 0, valid: false };
    const byte = from[read++]!;
    announced += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  let end = 0;
  while (read < from.length) {
    const tag = from[read++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >> 2;
      if (length >= 60) {
        const bytes = length - 59;
        if (read + bytes > from.length) return { end, valid: false };
        length = littleEndian(from, read, bytes);
        read += bytes;
      }
      length += 1;
      const part = from.subarray(read, read + Math.min(length, to.length - end));
      to.set(part, end);
      end += part.length;
      read += part.length;
      if (part.length < length) return { end, valid: false };
      continue;
    }
    const bytes = kind === 3 ? 4 : kind;
    if (read + bytes > from.length) return { end, valid: false };
    const low = littleEndian(from, read, bytes);
    read += bytes;
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const distance = kind === 1 ? (tag >> 5) * 256 + low : low;
    if (distance === 0 || distance > end || length > to.length - end) return { end, valid: false };
    for (let left = length; left > 0; left -= 1, end += 1) to[end] = to[end - distance]!;
  }
  return { end, valid: end === announced };
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (count === 4) return LITTLE_ENDIAN.u32(bytes, at);
  let value = 0;
  for (let k = count - 1; k >= 0; k -= 1) value = value * 256 + bytes[at + k]!;
  return value;
}
