import { byteAt } from './integers.ts';

/** Symbols of the code-length code. */
const LENGTH_SYMBOLS = 19;

/**
 * Whether the first block of deflate data (RFC 1951, 3.2.3 to 3.2.7) can be one: a stored block
 * whose length agrees with its complement, a fixed block, or a dynamic block whose counts are legal
 * and whose code-length code is complete. What lies outside the bytes counts as legal.
 */
export function startsDeflate(bytes: Uint8Array, at: number): boolean {
  const type = (byteAt(bytes, at) >> 1) & 3;
  if (type === 3) return false;
  if (type === 1) return true;
  if (type === 0) {
    return bytes.length < at + 5 || complements(bytes, at + 1);
  }
  if (bytes.length < at + 10) return true;
  const bits = (from: number, count: number): number => {
    const word =
      byteAt(bytes, at + (from >> 3)) |
      (byteAt(bytes, at + (from >> 3) + 1) << 8) |
      (byteAt(bytes, at + (from >> 3) + 2) << 16);
    return (word >> (from & 7)) & (2 ** count - 1);
  };
  // 257 + literal codes up to 286, 1 + distance codes up to 30.
  if (bits(3, 5) > 29 || bits(8, 5) > 29) return false;
  const count = Math.min(LENGTH_SYMBOLS, bits(13, 4) + 4);
  let room = 128;
  for (let k = 0; k < count; k += 1) {
    const length = bits(17 + 3 * k, 3);
    if (length > 0) room -= 128 >> length;
  }
  return room === 0;
}

function complements(bytes: Uint8Array, at: number): boolean {
  return (
    (byteAt(bytes, at) ^ byteAt(bytes, at + 2)) === 0xff &&
    (byteAt(bytes, at + 1) ^ byteAt(bytes, at + 3)) === 0xff
  );
}
