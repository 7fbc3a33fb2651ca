import { bytesOfByteString, type ByteString } from '../../model/bytes.ts';

/*
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

/** Tokens to compare with: their bytes as 32-bit words, which makes comparing 3 times as fast. */
export interface FixedTokens {
  readonly byteLength: number;
  readonly words: Int32Array;
  /** For messages. */
  readonly text: string;
}

export function fixedTokens(...values: readonly ByteString[]): FixedTokens {
  const bytes = tokens(...values);
  const words = Int32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readInt32LE(index * 4));
  return { byteLength: bytes.length, words, text: JSON.stringify(values.join(' ')) };
}

/** One stretch of memory in the two forms that reading tokens needs. */
export interface Memory {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export function memoryOf(chunk: Uint8Array): Memory {
  const { buffer, byteOffset, byteLength } = chunk;
  return {
    bytes: Buffer.from(buffer, byteOffset, byteLength),
    view: new DataView(buffer, byteOffset, byteLength),
  };
}

/**
 * Whether the tokens lie at `at`. As the first word of a token is its length, a shorter token
 * there is told from its length alone: a whole token may be compared with one that is longer.
 */
export function holds(memory: Memory, at: number, expected: FixedTokens): boolean {
  const { words } = expected;
  const { view } = memory;
  for (let index = 0; index < words.length; index++) {
    if (view.getInt32(at + 4 * index, true) !== words[index]) return false;
  }
  return true;
}

/**
 * The 64-bit little-endian number at `at`, or -1 if it is larger than 2^53 - 1: no real length
 * is, and JavaScript numbers would round it.
 */
export function readUint64(memory: Memory, at: number): number {
  const high = memory.view.getUint32(at + 4, true);
  return high > 0x1f_ffff ? -1 : high * 0x1_0000_0000 + memory.view.getUint32(at, true);
}

/** The place of the first byte in [start, end) that is not zero, or -1. */
export function firstNonZero(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0) return at;
  }
  return -1;
}
