import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { holds, isIncomplete, pack, readImage } from '../formats/squashfs/support.ts';
import { needs } from '../support/programs.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 5);

/** Each stands in one place only: in a block, a tail, a link, a name. */
const LEAKS = ['/home/noamyr/block', '/home/noamyr/tail', '/home/noamyr/link', 'name-of-noamyr'];

const words = (count: number): string =>
  Array.from({ length: count }, (_, at) => `word ${(at * 7919) % 1000}`).join('\n');

const TREE = {
  'a/block.txt': `${words(900)}\n${LEAKS[0]}\n${words(900)}`,
  'a/tail.txt': `${words(50)}\n${LEAKS[1]}\n`,
  'a/b/link': `-> ${LEAKS[2]}`,
  'a/b/c/name-of-noamyr': 'name',
  'a/b/other': words(40),
  'a/again': '= a/tail.txt',
};

/** A change of some bytes: at one place, or of a whole number of the superblock or a table. */
const change = fc.record({
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  head: fc.boolean(),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
});

describe.skipIf(!needs('mksquashfs'))('mutated images', () => {
  const images = new Map<string, Buffer>();
  beforeAll(() => {
    // each of these packers has a checksum, so that no change goes unseen
    for (const compressor of ['gzip', 'xz']) {
      images.set(compressor, pack(TREE, '-comp', compressor, '-b', '4K'));
    }
  });

  it.each(['gzip', 'xz'])(
    'packed by %s show what they showed, or that something was not read',
    { timeout: (SECONDS + 60) * 1000 },
    async (compressor) => {
      const image = images.get(compressor)!;
      const used = Number(image.readBigUInt64LE(40));
      const whole = await readImage(image);
      expect([isIncomplete(whole), LEAKS.every((leak) => holds(whole, leak))]).toEqual([false, true]);
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
          const bytes = Buffer.from(image);
          for (const { part, head, bytes: written } of changes) {
            // the magic is what anybody knows it by
            const at = 4 + Math.floor(part * ((head ? 96 : used) - 4));
            bytes.set(written.subarray(0, used - at), at);
          }
          const read = await readImage(bytes);
          if (!isIncomplete(read)) for (const leak of LEAKS) expect(holds(read, leak), leak).toBe(true);
        }),
        { interruptAfterTimeLimit: (SECONDS * 1000) / 2, numRuns: 1_000_000, markInterruptAsFailure: false },
      );
    },
  );
});
