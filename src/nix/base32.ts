/**
 * Nix's base 32: 5 bits a character from the last bits of the last byte to the first, in an
 * alphabet without e, o, t, u. (Nix: src/libutil/base-nix-32.cc.)
 */
export const BASE32_ALPHABET = '0123456789abcdfghijklmnpqrsvwxyz';

const NO_DIGIT = 0xff;
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let digit = 0; digit < 32; digit++) DIGITS[BASE32_ALPHABET.charCodeAt(digit)] = digit;

/** For each byte value 1 if it is a character of the alphabet, else 0. */
export const BASE32_MEMBERS: Uint8Array = DIGITS.map((digit) => (digit === NO_DIGIT ? 0 : 1));

/** Base 32 of bytes: ceil(8n / 5) characters. */
export function base32Encode(bytes: Uint8Array): string {
  let text = '';
  for (let place = Math.ceil((bytes.length * 8) / 5) - 1; place >= 0; place--) {
    const bit = place * 5;
    const index = bit >> 3;
    const pair = (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8);
    text += BASE32_ALPHABET.charAt((pair >> (bit & 7)) & 31);
  }
  return text;
}

/** The bytes that {@link base32Encode} makes this text of, or null if there are none. */
export function base32Decode(text: string): Uint8Array | null {
  const size = Math.floor((text.length * 5) / 8);
  if (Math.ceil((size * 8) / 5) !== text.length) return null;
  // One byte more, for the bits that stand beyond the last byte: they must be zero.
  const bytes = new Uint8Array(size + 1);
  for (let place = 0; place < text.length; place++) {
    const digit = DIGITS[text.charCodeAt(text.length - 1 - place)] ?? NO_DIGIT;
    if (digit === NO_DIGIT) return null;
    const bit = place * 5;
    const index = bit >> 3;
    const pair = digit << (bit & 7);
    bytes[index] = (bytes[index] ?? 0) | (pair & 0xff);
    if (pair > 0xff) bytes[index + 1] = pair >> 8;
  }
  return bytes[size] === 0 ? bytes.subarray(0, size) : null;
}
