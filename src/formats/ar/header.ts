import type { ByteString } from '../../model/bytes.ts';
import { byteStringOf } from '../memberBody.ts';

export const HEADER_BYTES = 60;

/** The header of a member, as ar(5) has it. */
export interface ArHeader {
  /** The name's field without the spaces that fill it up. */
  readonly name: ByteString;
  readonly size: number;
}

const NUMBER = /^[0-9]{1,10} *$/;

/** Reads the header at [at, at + 60); null where it is none. */
export function readHeader(bytes: Uint8Array, at: number): ArHeader | null {
  if (bytes[at + 58] !== 0x60 || bytes[at + 59] !== 0x0a) return null;
  const size = byteStringOf(bytes, at + 48, at + 58);
  if (!NUMBER.test(size)) return null;
  let end = at + 16;
  while (end > at && bytes[end - 1] === 0x20) end -= 1;
  return { name: byteStringOf(bytes, at, end), size: Number.parseInt(size, 10) };
}
