import { byteAt } from '../integers.ts';

/** A number of a tar header. */
export interface TarNumber {
  /** Rounded and cut to 2^53 - 1 where it is larger; no stream is that long. */
  readonly value: number;
  /** Whether every reader takes the field for this number. */
  readonly plain: boolean;
}

const SPACE = 0x20;

/** The field ends with `at`, or with what may fill it up. */
function isFiller(value: number): boolean {
  return value === SPACE || value === 0;
}

/**
 * A size as tar writes it: octal digits, or, with the first bit set, a big-endian number of base 256 (GNU
 * and star). Null: no size.
 *
 * @param length of the field, in bytes
 */
export function tarNumber(bytes: Uint8Array, from: number, length: number): TarNumber | null {
  if (byteAt(bytes, from) >= 0x80) return base256(bytes, from, length);
  const end = from + length;
  let at = from;
  while (at < end && byteAt(bytes, at) === SPACE) at += 1;
  let value = 0;
  const first = at;
  for (; at < end; at += 1) {
    const digit = byteAt(bytes, at) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  const isNumber = at > first || isFiller(byteAt(bytes, first));
  if (!isNumber || (at < end && !isFiller(byteAt(bytes, at)))) return null;
  let plain = true;
  for (; at < end; at += 1) plain &&= isFiller(byteAt(bytes, at));
  return { value: Math.min(value, Number.MAX_SAFE_INTEGER), plain };
}

function base256(bytes: Uint8Array, from: number, length: number): TarNumber | null {
  const first = byteAt(bytes, from);
  // The bit behind the mark is the sign.
  if ((first & 0x40) !== 0) return null;
  let value = first & 0x3f;
  for (let at = from + 1; at < from + length; at += 1) value = value * 256 + byteAt(bytes, at);
  return { value: Math.min(value, Number.MAX_SAFE_INTEGER), plain: first === 0x80 };
}
