import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODECS } from '../../../src/formats/compression/codec.ts';
import { decompress } from '../../../src/formats/compression/decompress.ts';
import { sniffCodec } from '../../../src/formats/compression/sniff.ts';
import { needs } from '../../support/programs.ts';
import { filter, outcomeOf, reusedChunks, sample, WRITERS } from './support.ts';

/** A cut or a flipped bit may show as either. */
const DAMAGE = ['COMPRESSION_TRUNCATED', 'COMPRESSION_CORRUPT'];
const GARBAGE = Buffer.from('garbage that is no stream');

for (const writer of WRITERS) {
  describe.skipIf(!needs(writer.program))(`${writer.codec} by ${writer.name}`, () => {
    const write = (data: Uint8Array): Buffer => filter(data, writer.program, ...writer.args);
    const large = sample(700_000);
    const small = sample(5000, 7);
    const packed = write(small);

    it('decodes what the program wrote', async () => {
      const whole = write(large);
      expect(sniffCodec(whole.subarray(0, 32), writer.codec === 'br' ? 'x.br' : 'x.nar')).toBe(writer.codec);
      const outcome = await outcomeOf(writer.codec, reusedChunks(whole, [65_536]));
      expect(outcome.code).toBe(null);
      expect(outcome.bytes.equals(large)).toBe(true);
    });

    it('decodes no content', async () => {
      const outcome = await outcomeOf(writer.codec, [write(Buffer.alloc(0))]);
      expect(outcome).toMatchObject({ code: null, bytes: Buffer.alloc(0) });
    });

    it('decodes the same whatever the chunks', async () => {
      const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(sizes, async (each) => {
          const outcome = await outcomeOf(writer.codec, reusedChunks(packed, each));
          expect(outcome.code).toBe(null);
          expect(outcome.bytes.equals(small)).toBe(true);
        }),
        { numRuns: 20 },
      );
    });

    it.skipIf(!writer.joins)('decodes one after another', async () => {
      const joined = Buffer.concat([packed, write(Buffer.alloc(0)), packed]);
      const outcome = await outcomeOf(writer.codec, reusedChunks(joined, [1000]));
      expect(outcome.code).toBe(null);
      expect(outcome.bytes.equals(Buffer.concat([small, small]))).toBe(true);
    });

    it('says what follows the end', async () => {
      if (writer.codec === 'compress') return; // has no end
      const outcome = await outcomeOf(writer.codec, reusedChunks(Buffer.concat([packed, GARBAGE]), [100]));
      expect(outcome).toMatchObject({ code: 'COMPRESSION_TRAILING', offset: packed.length });
      expect(outcome.bytes.equals(small)).toBe(true);
    });

    it('never takes a part for the whole', async () => {
      const step = Math.ceil(packed.length / 150);
      for (let end = 0; end < packed.length; end += end < 64 ? 1 : step) {
        const part = packed.subarray(0, end);
        const outcome = await outcomeOf(writer.codec, [part]);
        expect(outcome.bytes.equals(small.subarray(0, outcome.bytes.length))).toBe(true);
        // Nothing in a .Z file tells a cut between two codes.
        if (writer.codec === 'compress' && end >= 3) continue;
        expect(DAMAGE, `cut at ${end}`).toContain(outcome.code);
        const again = await outcomeOf(writer.codec, reusedChunks(part, [1, 50]));
        expect(again).toEqual(outcome);
      }
    });

    it('gives out what lies before a cut', async () => {
      const whole = write(large);
      const outcome = await outcomeOf(writer.codec, [whole.subarray(0, whole.length - 10)]);
      expect(large.subarray(0, outcome.bytes.length).equals(outcome.bytes)).toBe(true);
      // The last block of the format is lost, bzip2 -9 has one of 900,000 bytes.
      const lost = writer.name === 'bzip2 -9' ? large.length : 200_000;
      expect(outcome.bytes.length).toBeGreaterThanOrEqual(large.length - lost);
    });

    it('never ends well with other content', async () => {
      const step = Math.ceil(packed.length / 80);
      for (let at = 0; at < packed.length; at += step) {
        const damaged = Buffer.from(packed);
        damaged[at]! ^= 1 << (at % 8);
        const outcome = await outcomeOf(writer.codec, [damaged]);
        if (outcome.code === null && writer.checked) {
          expect(outcome.bytes.equals(small), `bit flipped at ${at}`).toBe(true);
        }
        expect(await outcomeOf(writer.codec, reusedChunks(damaged, [7, 300]))).toEqual(outcome);
      }
    });
  });
}

describe('every codec', () => {
  it('takes no input for a truncated stream', async () => {
    for (const codec of CODECS) {
      const expected = codec === 'none' ? null : 'COMPRESSION_TRUNCATED';
      expect((await outcomeOf(codec, [])).code, codec).toBe(expected);
      expect((await outcomeOf(codec, [new Uint8Array(0)])).code, codec).toBe(expected);
    }
  });

  it('refuses what is another format', async () => {
    const text = Buffer.from('nix-archive-1 is what a NAR begins with, in some place');
    for (const codec of CODECS) {
      const { code } = await outcomeOf(codec, [text]);
      if (codec === 'none') expect(code).toBe(null);
      else expect(['COMPRESSION_CORRUPT', 'COMPRESSION_UNSUPPORTED'], codec).toContain(code);
    }
  });

  it('hands on the failure of its input, behind what was decoded before it', async () => {
    const content = sample(400_000);
    const failure = new Error('disk');
    for (const writer of WRITERS.filter(({ program }) => needs(program))) {
      const whole = filter(content, writer.program, ...writer.args);
      for (const end of [Math.floor(whole.length / 2), whole.length]) {
        const source = function* (): Generator<Uint8Array> {
          yield* reusedChunks(whole.subarray(0, end), [10_000]);
          throw failure;
        };
        const parts: Buffer[] = [];
        const run = async (): Promise<void> => {
          for await (const chunk of decompress(writer.codec, source())) parts.push(Buffer.from(chunk));
        };
        await expect(run(), writer.name).rejects.toBe(failure);
        const plain = await outcomeOf(writer.codec, [whole.subarray(0, end)]);
        expect(Buffer.concat(parts).equals(plain.bytes), writer.name).toBe(true);
      }
    }
  });

  for (const writer of WRITERS) {
    it.skipIf(!needs(writer.program))(
      `lets its input go when the reader stops early: ${writer.name}`,
      async () => {
        const whole = filter(sample(300_000), writer.program, ...writer.args);
        let closed = false;
        const source = function* (): Generator<Uint8Array> {
          try {
            for (;;) yield whole;
          } finally {
            closed = true;
          }
        };
        for await (const chunk of decompress(writer.codec, source())) if (chunk.length > 0) break;
        expect(closed).toBe(true);
      },
    );
  }
});
