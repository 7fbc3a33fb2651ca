import { byteStringOfText, bytesOfByteString, type ByteString } from '../../model/bytes.ts';

/**
 * The wire form of a NAR: everything is a string token, its length as a 64-bit little-endian number,
 * its bytes, and zeros up to the next multiple of 8. (Nix: src/libutil/archive.cc, serialise.hh.)
 */

/** `size` rounded up to the next multiple of 8. Exact for every safe integer. */
export function padded(size: number): number {
  const over = size % 8;
  return over === 0 ? size : size + 8 - over;
}

/** The bytes of string tokens in a row. */
export function tokens(...values: readonly ByteString[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const token = Buffer.alloc(8 + padded(value.length));
      token.writeUInt32LE(value.length, 0);
      bytesOfByteString(value).copy(token, 8);
      return token;
    }),
  );
}

/** First token of every NAR. */
export const MAGIC = tokens(byteStringOfText('nix-archive-1'));

/** Whether `bytes` holds all of `expected` at `at`. Reads up to `expected.length` bytes from there. */
export function holds(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[at + index] !== expected[index]) return false;
  }
  return true;
}

/**
 * The 64-bit little-endian number at `at`, or -1 if it is larger than 2^53 - 1: no real length
 * is, and JavaScript numbers would round it.
 */
export function readUint64(bytes: Buffer, at: number): number {
  const high = bytes.readUInt32LE(at + 4);
  return high > 0x1f_ffff ? -1 : high * 0x1_0000_0000 + bytes.readUInt32LE(at);
}

/** The offset of the first byte in [start, end) that is not zero, or -1. */
export function firstNonZero(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0) return at;
  }
  return -1;
}
