import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Codec } from '../../src/formats/compression/codec.ts';
import { ThreadDecoder } from '../../src/scan/threadDecoder.ts';
import { type Decoding, Packed } from '../../src/sources/packed.ts';
import { outcomeOf, sample } from '../formats/compression/support.ts';
import { PiecedSource } from '../support/piecedSource.ts';

/** More than all slots on the way to the decoder and back hold together. */
const LARGE = Buffer.concat(Array.from({ length: 24 }, (_, seed) => sample(1_000_000, seed + 1)));
const MORE_THAN_LEAST = 64 * 1024 * 1024;

const decoder = new ThreadDecoder();

function packedOf(bytes: Buffer, sizes: readonly number[] = [100_000, 1, 262_144]): Packed {
  return new Packed(Buffer.alloc(0), new PiecedSource(bytes, sizes));
}

async function beside(codec: Codec, packed: Packed): Promise<Decoding> {
  return await decoder.decode(codec, packed, MORE_THAN_LEAST);
}

async function outcomeBeside(codec: Codec, packed: Packed) {
  const parts: Buffer[] = [];
  try {
    for await (const chunk of await beside(codec, packed)) parts.push(Buffer.from(chunk));
  } catch (error) {
    const { code = null, offset = null } = error as { code?: string; offset?: number | null };
    return { bytes: Buffer.concat(parts), code, offset };
  }
  return { bytes: Buffer.concat(parts), code: null, offset: null };
}

/** One frame of blocks that are not packed, of 64 KiB each. */
function lz4Frame(content: Buffer): Buffer {
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
  const blocks: Buffer[] = [];
  for (let at = 0; at < content.length; at += 65_536) {
    const block = content.subarray(at, at + 65_536);
    const size = Buffer.alloc(4);
    size.writeUInt32LE((block.length | 0x80000000) >>> 0, 0);
    blocks.push(size, block);
  }
  return Buffer.concat([header, ...blocks, Buffer.alloc(4)]);
}

const zstd = zstdCompressSync(LARGE);
const CASES: readonly (readonly [name: string, codec: Codec, bytes: Buffer, code: string | null])[] = [
  ['zstd', 'zstd', zstd, null],
  ['nothing', 'zstd', Buffer.alloc(0), 'COMPRESSION_TRUNCATED'],
  ['gzip', 'gzip', gzipSync(LARGE, { level: 1 }), null],
  ['lz4', 'lz4', lz4Frame(LARGE), null],
  ['brotli, which stays here,', 'br', brotliCompressSync(LARGE.subarray(0, 3_000_000)), null],
  ['a stream that ends early', 'zstd', zstd.subarray(0, zstd.length - 100_000), 'COMPRESSION_TRUNCATED'],
  [
    'a damaged stream',
    'zstd',
    Buffer.concat([zstd.subarray(0, 5_000_000), Buffer.alloc(4_000_000, 7)]),
    'COMPRESSION_CORRUPT',
  ],
  [
    'a stream and something else',
    'gzip',
    Buffer.concat([gzipSync('small'), Buffer.alloc(9_000_000, 7)]),
    'COMPRESSION_TRAILING',
  ],
  [
    'lz4 and something else',
    'lz4',
    Buffer.concat([lz4Frame(LARGE.subarray(0, 100)), Buffer.alloc(9_000_000)]),
    'COMPRESSION_TRAILING',
  ],
];

describe('a thread beside the search', () => {
  it.each(CASES)('decodes %s as it is decoded here, one after another', async (_, codec, bytes, code) => {
    const here = await outcomeOf(codec, packedOf(bytes));
    const there = await outcomeBeside(codec, packedOf(bytes));
    expect(here.code).toBe(code);
    expect([there.code, there.offset]).toEqual([here.code, here.offset]);
    expect(there.bytes.equals(here.bytes)).toBe(true);
  });

  it('gives what was decoded before the packed stream broke off, and then that error', async () => {
    const failure = new Error('the disk is gone');
    class Breaking extends PiecedSource {
      override read(memory: Uint8Array, at: number, length: number): number {
        const count = super.read(memory, at, length);
        if (count === 0) throw failure;
        return count;
      }
    }
    const broken = new Packed(Buffer.alloc(0), new Breaking(zstd.subarray(0, 6_000_000), [262_144]));
    const parts: Buffer[] = [];
    const all = async (): Promise<void> => {
      for await (const chunk of await beside('zstd', broken)) parts.push(Buffer.from(chunk));
    };
    await expect(all()).rejects.toBe(failure);
    const here = await outcomeOf('zstd', packedOf(zstd.subarray(0, 6_000_000)));
    expect(Buffer.concat(parts).equals(here.bytes)).toBe(true);
  });

  it('decodes the next stream after one that was left before its end', async () => {
    for await (const chunk of await beside('zstd', packedOf(zstd))) if (chunk.length > 0) break;
    const { bytes, code } = await outcomeBeside('zstd', packedOf(zstd));
    expect(code).toBe(null);
    expect(bytes.equals(LARGE)).toBe(true);
  });

  it('tells how many packed bytes had been given when a chunk came', async () => {
    const decoding = await beside('zstd', packedOf(zstd));
    const given: number[] = [];
    for await (const chunk of decoding) if (chunk.length > 0) given.push(decoding.given);
    expect(given).toEqual(given.toSorted((a, b) => a - b));
    expect(given[0]).toBeLessThan(zstd.length);
    expect(given.at(-1)).toBe(zstd.length);
  });
});
