import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TAIL_BYTES } from '../../../src/formats/magic.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import type { PartialFacts } from '../../../src/sources/factSink.ts';
import { WRAPPINGS } from '../../support/wrappings.ts';
import { FileScan, gaps, LEAK } from './support.ts';

const scan = new FileScan(6);
/** Words that mean something near the end of a file, each without what would make it mean that. */
const WORDS = ['koly', 'PK\x05\x06', 'MEI\x0c\x0b\x0a\x0b\x0e'];

/** Text with a leak at its start, and words at these distances from its end. */
function text(size: number, words: readonly (readonly [word: string, fromEnd: number])[]): Buffer {
  const bytes = Buffer.alloc(size, 'a');
  bytes.write(LEAK, 0);
  for (const [word, fromEnd] of words) bytes.write(word, Math.max(LEAK.length, size - fromEnd), 'latin1');
  return bytes;
}

/** What was found, but for where it lies on disk and in which containers. */
function told({ findings }: PartialFacts): readonly string[] {
  return findings.map(({ rule, carrier, encoding, severity, location }) =>
    [rule, carrier, encoding, severity, location.offset].join(' '),
  );
}

/** Without a name nobody knows brotli; the offsets of a loose git object are others. */
const wrappings = WRAPPINGS.filter(({ keepsName }) => keepsName);

const tails = fc.array(
  fc.tuple(fc.constantFrom(...WORDS), fc.oneof(fc.nat(2000), fc.nat(TAIL_BYTES + 10), fc.nat(1_200_000))),
  { minLength: 1, maxLength: 4 },
);
const sizes = fc.oneof(
  fc.integer({ min: 1000, max: 3 * LIMITS.chunkBytes }),
  fc.integer({ min: LIMITS.chunkBytes - 9, max: LIMITS.chunkBytes + TAIL_BYTES + 9 }),
);

describe('words near the end of a content that mean nothing there', () => {
  it(
    'are no gap, however the content is packed and whatever it comes from',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          sizes,
          tails,
          fc.constantFrom(...wrappings),
          fc.constantFrom(...wrappings),
          fc.boolean(),
          fc.boolean(),
          async (size, words, inner, outer, twice, seekable) => {
            const plain = { name: 'a.txt', bytes: text(size, words) };
            const expected = await scan.facts(plain.name, plain.bytes, { seekable });
            const once = inner.wrap(plain, size);
            const { name, bytes } = twice ? outer.wrap(once, size) : once;
            const facts = await scan.facts(name, bytes, { seekable });
            expect(gaps(expected)).toEqual([]);
            expect(gaps(facts)).toEqual([]);
            expect(told(facts)).toEqual(expect.arrayContaining([...told(expected)]));
          },
        ),
        { numRuns: 40 },
      );
    },
  );
});

describe('an image that only its last bytes tell of', () => {
  const trailer = Buffer.alloc(512);
  trailer.write('koly\0\0\0\x04\0\0\x02\0', 0, 'latin1');
  // where its reader expects nothing
  trailer.write('PK\x03\x04', 480, 'latin1');
  const image = (size: number): Buffer => Buffer.concat([Buffer.alloc(size, 'a'), trailer]);

  it('is a gap whatever magic stands behind that', async () => {
    for (const size of [1000, LIMITS.chunkBytes, 1_000_000]) {
      for (const seekable of [true, false]) {
        const facts = await scan.facts('image', image(size), { seekable });
        expect(gaps(facts)).toEqual(['unsupported']);
        const packed = await scan.facts('image.gz', gzipSync(image(size)), { seekable });
        expect(gaps(packed)).toEqual(['image > unsupported']);
      }
    }
  });
});

describe('an archive of PyInstaller that only its last bytes tell of', () => {
  it('is a gap of memory where what comes before was not kept', async () => {
    const cookie = Buffer.alloc(88);
    cookie.write('MEI\x0c\x0b\x0a\x0b\x0e', 'latin1');
    cookie.writeUInt32BE(700_088, 8);
    cookie.writeUInt32BE(699_000, 12);
    cookie.writeUInt32BE(1000, 16);
    cookie.writeUInt32BE(312, 20);
    cookie.write('libpython3.12.so', 24);
    const facts = await scan.facts('a.gz', gzipSync(Buffer.concat([Buffer.alloc(700_000, 'a'), cookie])));
    expect(gaps(facts)).toEqual(['a > limit-memory']);
  });
});
