import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompress } from '../../../src/formats/compression/decompress.ts';
import type { StreamCodec } from '../../../src/formats/compression/codec.ts';

/** What was decoded, in bytes, and the fault that ended it. */
async function decoded(
  codec: StreamCodec,
  chunks: readonly Uint8Array[],
): Promise<readonly [number, unknown]> {
  let bytes = 0;
  try {
    for await (const chunk of decompress(codec, chunks)) bytes += chunk.length;
  } catch (error) {
    return [bytes, error];
  }
  return [bytes, null];
}

/** Around what a decoder gives at once, and around twice that. */
const SIZES = [1_000_000, 1_048_577, 1_060_033, 1_500_000, 2_100_000];

describe('a stream whose last bytes end a chunk', () => {
  it.each(SIZES)('of %d bytes is followed by what the next chunk holds', async (size) => {
    const content = Buffer.alloc(size, 'some text of little meaning, again and again\n');
    const behind = Buffer.alloc(300_000, 'x');
    const member = gzipSync(content);
    expect(await decoded('gzip', [member, gzipSync('tail')])).toEqual([size + 4, null]);
    for (const [codec, one] of [
      ['gzip', member],
      ['zlib', deflateSync(content)],
      ['br', brotliCompressSync(content)],
    ] as const) {
      const [bytes, fault] = await decoded(codec, [one, behind]);
      expect(bytes).toBe(size);
      expect(fault, codec).toMatchObject({ code: 'COMPRESSION_TRAILING', offset: one.length });
    }
  });
});
