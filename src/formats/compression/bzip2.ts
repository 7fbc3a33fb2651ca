import { BitReader } from './bzip2Bits.ts';
import { Bzip2Block } from './bzip2Block.ts';
import type { DecompressLimits } from './codec.ts';
import { fault, StreamCount, trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { MAGIC, matchMagic } from './magic.ts';

/** Block and end marks, 48 bits each: the digits of pi and of its square root. */
const BLOCK_MARK = [0x314159, 0x265359] as const;
const END_MARK = [0x177245, 0x385090] as const;

/** Twenty bits for each byte of a block at the very most, tables and selectors. */
const BYTES_PER_LEVEL = 250_000;
const TABLES_BYTES = 64 * 1024;

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

/**
 * Decodes a bzip2 file: streams in a row, with the CRC of each block and each stream. Blocks are
 * decoded one by one, each from bytes that lie in one piece. Randomised blocks, which no bzip2
 * since 1999 writes, are not supported.
 */
export async function* decodeBzip2(input: Input, limits: DecompressLimits): Chunks {
  const streams = new StreamCount('bzip2', limits.streams);
  for (let first = true; ; first = false) {
    const next = await matchMagic(input, MAGIC.bzip2);
    if (next === 'none' && !first) return;
    if (next === 'none' || next === 'prefix') throw truncated('bzip2', input.offset + input.available);
    if (next === 'other') {
      throw first
        ? fault('CORRUPT', 'bzip2', 0, 'does not begin as the format does')
        : trailing('bzip2', input.offset);
    }
    streams.begins(input.offset);
    if (!(await input.fill(4))) throw truncated('bzip2', input.offset + input.available);
    const level = input.bytes[input.start + 3]! - 0x30;
    if (level < 1 || level > 9) throw fault('CORRUPT', 'bzip2', input.offset, 'block size is none');
    input.start += 4;
    yield* decodeStream(input, level);
  }
}

async function* decodeStream(input: Input, level: number): Chunks {
  const block = new Bzip2Block(level);
  let bit = 0;
  let streamCrc = 0;
  for (;;) {
    const { offset } = input;
    const whole = await input.fill(level * BYTES_PER_LEVEL + TABLES_BYTES);
    const bits = new BitReader(input.bytes, input.start, input.end, bit);
    const fail = (what: string): Error =>
      bits.overrun && !whole
        ? truncated('bzip2', input.offset + input.available)
        : fault('CORRUPT', 'bzip2', offset, what);
    const mark = [bits.read(24), bits.read(24)] as const;
    const crc = bits.read(16) * 65_536 + bits.read(16);
    if (mark[0] === END_MARK[0] && mark[1] === END_MARK[1]) {
      if (bits.overrun) throw fail('ends early');
      if (crc !== streamCrc) throw fail('CRC of the stream differs');
      input.start = bits.byteIndex + (bits.bitIndex > 0 ? 1 : 0);
      return;
    }
    if (mark[0] !== BLOCK_MARK[0] || mark[1] !== BLOCK_MARK[1]) throw fail('neither block nor end');
    const wrong = block.read(bits);
    if (wrong !== null || bits.overrun) throw fail(wrong ?? 'block is too long');
    input.start = bits.byteIndex;
    bit = bits.bitIndex;
    yield* block.chunks();
    if (block.crc !== crc) throw fault('CORRUPT', 'bzip2', offset, 'CRC of a block differs');
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
  }
}
