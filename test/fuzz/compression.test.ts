import { describe, expect, it } from 'vitest';
import { needs } from '../support/programs.ts';
import { filter, outcomeOf, reusedChunks, sample, WRITERS } from '../formats/compression/support.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 5);

/** A small generator of its own, so that a failure can be run again by its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Flips, overwrites, cuts out, repeats or appends, a few times. */
function mutate(data: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(data);
  for (let left = 1 + random(4); left > 0 && bytes.length > 0; left -= 1) {
    const at = random(3) === 0 ? random(Math.min(bytes.length, 40)) : random(bytes.length);
    const to = Math.min(bytes.length, at + 1 + random(32));
    switch (random(6)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes.fill([0, 0xff, random(256)][random(3)]!, at, to);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 4:
        bytes = bytes.subarray(0, at);
        break;
      default:
        bytes[at]! ^= 1 << random(8);
    }
  }
  return bytes;
}

describe('mutated compressed streams', () => {
  it(
    'end well or with a fault of the table, the same in any chunks',
    { timeout: (SECONDS + 60) * 1000 },
    async () => {
      const seeds = WRITERS.filter(({ program }) => needs(program)).flatMap((writer) =>
        [0, 300, 20_000].map((length) => ({
          writer,
          data: filter(sample(length), writer.program, ...writer.args),
        })),
      );
      const first = Date.now();
      for (let seed = first; Date.now() - first < SECONDS * 1000; seed += 1) {
        const random = randomOf(seed);
        const { writer, data } = seeds[random(seeds.length)]!;
        const mutated = mutate(data, random);
        const outcome = await outcomeOf(writer.codec, [mutated]);
        expect(outcome.code ?? 'COMPRESSION_').toMatch(/^COMPRESSION_/);
        const sizes = Array.from({ length: 1 + random(4) }, () => 1 + random(2000));
        const again = await outcomeOf(writer.codec, reusedChunks(mutated, sizes));
        const label = `${writer.name}, seed ${seed}`;
        expect([again.code, again.offset], label).toEqual([outcome.code, outcome.offset]);
        expect(again.bytes.equals(outcome.bytes), label).toBe(true);
      }
    },
  );
});
