import { bytesOfByteString, type ByteString } from '../model/bytes.ts';

/** The bytes by which an encoded literal is found, and where its first byte's character begins from there. */
interface Spelling {
  readonly bytes: Uint8Array;
  readonly anchor: number;
}

/**
 * Text in units of two or four bytes. Characters up to U+00FF are one byte among zeros in either
 * byte order, so what both orders share is one spelling: from the first such byte to the last.
 */
export function wideSpellings(text: string, unit: 2 | 4): readonly Spelling[] {
  if (/^[\0-\xff]*$/.test(text)) {
    const bytes = Buffer.alloc(unit * (text.length - 1) + 1);
    for (let index = 0; index < text.length; index++) bytes[unit * index] = text.charCodeAt(index);
    return [{ bytes, anchor: 0 }];
  }
  const little = unit === 2 ? Buffer.from(text, 'utf16le') : utf32le(text);
  const big = Buffer.from(little);
  if (unit === 2) big.swap16();
  else big.swap32();
  // the anchor is the first character's low byte in both orders
  return [
    { bytes: little, anchor: 0 },
    { bytes: big, anchor: unit - 1 },
  ];
}

function utf32le(text: string): Buffer {
  const characters = Array.from(text);
  const bytes = Buffer.alloc(4 * characters.length);
  for (const [index, character] of characters.entries()) {
    bytes.writeUInt32LE(character.codePointAt(0) as number, 4 * index);
  }
  return bytes;
}

/** Hex digits, small and capital. */
export function hexSpellings(text: ByteString): readonly Uint8Array[] {
  const small = bytesOfByteString(text).toString('hex');
  return [...new Set([small, small.toUpperCase()])].map(bytesOfByteString);
}

/** A base64 core; `phase`: which byte of its group of three the literal's first byte is. */
export interface Base64Core extends Spelling {
  readonly phase: number;
}

/**
 * The characters of base64 (RFC 4648) that a literal fixes wherever it begins in a group of three,
 * in the standard and in the URL-safe alphabet. The anchor is the character in which the literal's
 * first byte begins.
 */
export function base64Cores(literal: Uint8Array): readonly Base64Core[] {
  const cores: Base64Core[] = [];
  for (let phase = 0; phase < 3; phase++) {
    const bytes = Buffer.concat([Buffer.alloc(phase), literal]);
    const first = Math.ceil((phase * 8) / 6);
    const fixed = Math.floor((bytes.length * 8) / 6);
    const standard = bytes.toString('base64').slice(first, fixed);
    const safe = bytes.toString('base64url').slice(first, fixed);
    for (const core of standard === safe ? [standard] : [standard, safe]) {
      cores.push({ bytes: bytesOfByteString(core), anchor: phase - first, phase });
    }
  }
  return cores;
}
