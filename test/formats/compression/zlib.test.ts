import { deflateRawSync, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/programs.ts';
import { filter, outcomeOf, reusedChunks, sample } from './support.ts';

const SMALL = sample(5000, 7);
const LARGE = sample(2_500_000, 3);

const STREAMS = [
  { codec: 'zlib', pack: (data: Uint8Array, level = 6) => deflateSync(data, { level }) },
  { codec: 'deflate', pack: (data: Uint8Array, level = 6) => deflateRawSync(data, { level }) },
] as const;

for (const { codec, pack } of STREAMS) {
  describe(codec, () => {
    it('decodes short and long streams of every level, whatever the chunks', async () => {
      for (const level of [0, 1, 9]) {
        const long = await outcomeOf(codec, reusedChunks(pack(LARGE, level), [65_536]));
        expect(long.code).toBe(null);
        expect(long.bytes.equals(LARGE)).toBe(true);
      }
      const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 9000 }), sizes, async (data, each) => {
          const outcome = await outcomeOf(codec, reusedChunks(pack(data), each));
          expect(outcome).toMatchObject({ code: null, bytes: Buffer.from(data) });
        }),
        { numRuns: 30 },
      );
    });

    it('says exactly where the stream ended when something follows', async () => {
      for (const data of [Buffer.alloc(0), SMALL, LARGE]) {
        const packed = pack(data);
        for (const tail of [Buffer.from([0]), Buffer.alloc(100_000, 'tail'), packed]) {
          const outcome = await outcomeOf(codec, reusedChunks(Buffer.concat([packed, tail]), [10_000]));
          expect(outcome).toMatchObject({ code: 'COMPRESSION_TRAILING', offset: packed.length });
          expect(outcome.bytes.equals(data)).toBe(true);
        }
      }
    });

    it('never takes a part for the whole, and gives what was decoded of it', async () => {
      const packed = pack(SMALL);
      for (let end = 0; end < packed.length; end += end < 20 ? 1 : 97) {
        const outcome = await outcomeOf(codec, reusedChunks(packed.subarray(0, end), [50]));
        expect(outcome.code, `cut at ${end}`).toBe('COMPRESSION_TRUNCATED');
        expect(outcome.bytes.equals(SMALL.subarray(0, outcome.bytes.length))).toBe(true);
      }
      const most = await outcomeOf(codec, [packed.subarray(0, -8)]);
      expect(most.bytes.length).toBeGreaterThan(4000);
    });
  });
}

describe('zlib', () => {
  it('checks header and checksum', async () => {
    const packed = deflateSync(SMALL);
    const sum = Buffer.from(packed);
    sum[sum.length - 1]! ^= 1;
    expect(await outcomeOf('zlib', [sum])).toMatchObject({ code: 'COMPRESSION_CORRUPT', bytes: SMALL });
    for (const head of ['plain text', 'x\x9d', '\x88\x1c']) {
      const outcome = await outcomeOf('zlib', [Buffer.from(head, 'latin1'), packed.subarray(2)]);
      expect(outcome).toMatchObject({ code: 'COMPRESSION_CORRUPT', offset: 0 });
    }
  });

  it('says that a preset dictionary is needed', async () => {
    const packed = deflateSync(SMALL, { dictionary: Buffer.from('/nix/store/') });
    expect((await outcomeOf('zlib', [packed])).code).toBe('COMPRESSION_UNSUPPORTED');
  });

  it.skipIf(!needs('python3'))('decodes what python writes, flushed or not', async () => {
    const program =
      'import sys,zlib; c=zlib.compressobj(9,zlib.DEFLATED,9); d=sys.stdin.buffer.read(); ' +
      'sys.stdout.buffer.write(c.compress(d[:999])+c.flush(zlib.Z_FULL_FLUSH)+c.compress(d[999:])+c.flush())';
    const outcome = await outcomeOf('zlib', [filter(SMALL, 'python3', '-c', program)]);
    expect(outcome).toMatchObject({ code: null, bytes: SMALL });
  });
});
