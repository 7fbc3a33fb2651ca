import { crc32 } from 'node:zlib';
import type { DecompressLimits } from './codec.ts';
import { fault, StreamCount, trailing, truncated } from './fault.ts';
import { inflate } from './inflate.ts';
import type { Input } from './input.ts';
import { MAGIC, matchMagic } from './magic.ts';

const FLAG_HEADER_CRC = 0x02;
const FLAG_EXTRA = 0x04;
const FLAG_NAME = 0x08;
const FLAG_COMMENT = 0x10;
const FLAGS_RESERVED = 0xe0;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;

/**
 * Decodes a gzip file (RFC 1952): members in a row, CRC32 and length of each checked. Zeros may
 * follow a member, as for gzip itself; a member behind them is decoded too.
 */
export async function* decodeGzip(
  input: Input,
  limits: DecompressLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  let first = true;
  const streams = new StreamCount('gzip', limits.streams);
  for (;;) {
    if (!first) await input.skipZeros();
    const next = await matchMagic(input, MAGIC.gzip);
    if (next === 'none' && !first) return;
    if (next === 'none' || next === 'prefix') throw truncated('gzip', input.offset + input.available);
    if (next === 'other') {
      throw first
        ? fault('CORRUPT', 'gzip', 0, 'does not begin as the format does')
        : trailing('gzip', input.offset);
    }
    first = false;
    streams.begins(input.offset);
    await skipHeader(input);
    const sum = { crc: 0, length: 0 };
    for await (const chunk of inflate('gzip', input)) {
      sum.crc = crc32(chunk, sum.crc);
      sum.length = (sum.length + chunk.length) % 2 ** 32;
      yield chunk;
    }
    if (!(await input.fill(TRAILER_BYTES))) throw truncated('gzip', input.offset + input.available);
    if (word(input, 0) !== sum.crc) throw fault('CORRUPT', 'gzip', input.offset, 'CRC32 differs');
    if (word(input, 4) !== sum.length) throw fault('CORRUPT', 'gzip', input.offset, 'length differs');
    input.start += TRAILER_BYTES;
  }
}

function word(input: Input, at: number): number {
  return new DataView(input.bytes.buffer, input.bytes.byteOffset + input.start).getUint32(at, true);
}

/** Reads a member header up to its deflate data. A header may be long, but none of it is kept. */
async function skipHeader(input: Input): Promise<void> {
  let crc = 0;
  const take = async (count: number): Promise<Uint8Array> => {
    if (!(await input.fill(count))) throw truncated('gzip', input.offset + input.available);
    const bytes = input.peek(count);
    crc = crc32(bytes, crc);
    input.start += count;
    return bytes;
  };
  const skipText = async (): Promise<void> => {
    for (;;) {
      if (!(await input.fill(1))) throw truncated('gzip', input.offset);
      const end = input.peek().indexOf(0);
      await take(end === -1 ? input.available : end + 1);
      if (end !== -1) return;
    }
  };
  const flags = (await take(HEADER_BYTES))[3] ?? 0;
  if ((flags & FLAGS_RESERVED) !== 0) throw fault('UNSUPPORTED', 'gzip', input.offset, 'has unknown flags');
  if ((flags & FLAG_EXTRA) !== 0) {
    const [low = 0, high = 0] = await take(2);
    await take(low + 256 * high);
  }
  if ((flags & FLAG_NAME) !== 0) await skipText();
  if ((flags & FLAG_COMMENT) !== 0) await skipText();
  if ((flags & FLAG_HEADER_CRC) !== 0) {
    const expected = crc & 0xffff;
    const [low = 0, high = 0] = await take(2);
    if (low + 256 * high !== expected) throw fault('CORRUPT', 'gzip', input.offset, 'header CRC differs');
  }
}
