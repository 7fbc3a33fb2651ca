import type { Span } from '../rules/boundaries.ts';
import type { Decoder } from './decoded.ts';
import { hexValue } from './hexDigits.ts';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const NO_DIGIT = -1;
const DIGITS = new Int8Array(256).fill(NO_DIGIT);
for (const [alphabet] of [[`${BASE64}+/`], [`${BASE64}-_`]] as const) {
  for (let digit = 0; digit < 64; digit++) DIGITS[alphabet.charCodeAt(digit)] = digit;
}
const PLUS = 0x2b;
const SLASH = 0x2f;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;

/** Reads base64 (RFC 4648, either alphabet) of which a group of four characters begins at the anchor. */
export const base64Decoder: Decoder = (source, anchor, origin, out) => {
  const { memory, hi } = source;
  let start = anchor;
  while (digitsAt(source, start - 4) === 4) start -= 4;
  let standard = false;
  let safe = false;
  for (let at = start; at < hi; at += 4) {
    const digits = digitsAt(source, at);
    let bits = 0;
    for (let index = 0; index < 4; index++) {
      const character = index < digits ? (memory[at + index] as number) : 0;
      standard ||= character === PLUS || character === SLASH;
      safe ||= character === DASH || character === UNDERSCORE;
      bits = (bits << 6) | (index < digits ? (DIGITS[character] as number) : 0);
    }
    for (let byte = 0; byte + 1 < digits; byte++) {
      out.append((bits >> (16 - 8 * byte)) & 0xff, at + byte - origin);
    }
    if (digits < 4) break;
  }
  out.encoding = safe && !standard ? 'base64url' : 'base64';
};

/** How many of the four characters at `at` are digits before another one comes; 0 outside the source. */
function digitsAt({ memory, lo, hi }: Span, at: number): number {
  if (at < lo) return 0;
  let digits = 0;
  while (digits < 4 && at + digits < hi && DIGITS[memory[at + digits] as number] !== NO_DIGIT) digits++;
  return digits;
}

/** Reads pairs of hex digits, of which one begins at the anchor. */
export const hexDecoder: Decoder = (source, anchor, origin, out) => {
  let start = anchor;
  while (pairAt(source, start - 2) >= 0) start -= 2;
  for (let at = start; ; at += 2) {
    const byte = pairAt(source, at);
    if (byte < 0) break;
    out.append(byte, at - origin);
  }
  out.encoding = 'hex';
};

function pairAt({ memory, lo, hi }: Span, at: number): number {
  if (at < lo || at + 2 > hi) return -1;
  const high = hexValue(memory[at] as number);
  const low = hexValue(memory[at + 1] as number);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}
