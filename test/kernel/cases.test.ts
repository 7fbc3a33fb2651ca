import { describe, expect, test } from 'vitest';
import { bytes, ENGINES, matcherOf, naive, searchIn } from './support.ts';

const ROOTS = [
  '/home/', '/Users/', '/root/', '\\Users\\', '/store/', '/nix/var/nix/builds/', '/tmp/nix-build-',
  '/private/tmp/nix-build-', '/data/people/zoe',
]; // prettier-ignore
const HASHES = [
  '3n58xw4373jp0ljirf06d8077j15pc4j',
  '00000000000000000000000000000000',
  'zyxwvsrqpnmlkjihgfdcba9876543210',
];

/** One table for every engine: needles, data. What has to be found is what indexOf finds. */
const CASES: readonly (readonly [name: string, needles: readonly string[], data: string])[] = [
  ['nothing', ROOTS, 'the quick brown fox '.repeat(20)],
  ['no data', ROOTS, ''],
  ['one byte', ROOTS, '/'],
  ['the whole data', ['/home/'], '/home/'],
  ['a home at the start, one at the end', ROOTS, `/home/noamyr${'x'.repeat(100)}/home/`],
  ['a needle cut off by the end', ROOTS, `${'x'.repeat(70)}/home`],
  ['homes back to back', ROOTS, '/home//home//home/'.repeat(30)],
  ['overlapping occurrences', ['aaa', 'aaaa', 'aa!'], 'aaaaaaaaaaaa!aa'],
  ['needles that begin alike', ['/home/', '/home/noamyr', '/home/noa'], 'x/home/noamyr/home/noa/home/'],
  ['needles that end alike', ['users/', '/users/', 'rs/'], '/users/rs/users/'],
  ['the same needle twice', ['/home/', '/home/'], 'a/home/b/home/'],
  ['a byte outside ASCII', ['\x80\xff\x00', '\xffab', '/home/'], 'x\x80\xff\x00\xffab\x80\xff/home/'],
  ['zeros', ['\0\0\0', '\0\0\0\0\0'], `${'\0'.repeat(70)}a${'\0'.repeat(4)}`],
  ['three bytes', ['abc', 'bcd', 'cde'], 'abcdeabcde'],
  ['every root', ROOTS, ROOTS.join('')],
  ['hash parts alone', HASHES, `/nix/store/${HASHES[0]}-x ${HASHES[2]}${HASHES[1]}`],
  ['hash parts in a longer run', HASHES, `abc${HASHES[0]}${HASHES[2]}0123${HASHES[1]}000`],
  ['a hash part cut off by the end', HASHES, `${HASHES[0]}${HASHES[2]?.slice(0, 31)}`],
  ['roots and hash parts', [...ROOTS, ...HASHES], `/home/u/nix/store/${HASHES[0]}-x:/root/${HASHES[1]}`],
  ['many hash parts', [...ROOTS, ...manyHashes(300)], `/store/${manyHashes(300).join('-a/home/')}`],
  ['a hash part and a word of its alphabet', [HASHES[0] as string, 'abcd'], `abcd${HASHES[0]}abcd`],
  ['long needles', ['x'.repeat(512), `${'x'.repeat(511)}y`], `${'x'.repeat(600)}y`],
  [
    'many needles of one slot',
    manyHashes(400).map((h) => `/home/${h.slice(0, 7)}`),
    `/home/${manyHashes(9)[8]}`,
  ],
];

function manyHashes(count: number): string[] {
  const alphabet = '0123456789abcdfghijklmnpqrsvwxyz';
  let state = 1;
  return Array.from({ length: count }, () => {
    return Array.from({ length: 32 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return alphabet[state >>> 27];
    }).join('');
  });
}

describe.each(ENGINES)('the %s engine', (engine) => {
  test('is the one that runs', () => {
    expect(matcherOf(engine).engine).toBe(engine);
  });

  test.each(CASES)('finds %s at every alignment', (_name, texts, text) => {
    const matcher = matcherOf(engine);
    const needles = texts.map(bytes);
    const data = bytes(text);
    const expected = naive(needles, data, 0, data.length);
    matcher.load(needles);
    for (let alignment = 0; alignment < 64; alignment++) {
      const from = matcher.base + alignment;
      // What surrounds the data must not decide: fill it with the data's own beginnings and ends.
      matcher.memory.fill(0, matcher.base, from + data.length + 64);
      matcher.memory.set(data.subarray(data.length - alignment), matcher.base);
      matcher.memory.set(data, from);
      matcher.memory.set(data.subarray(0, 64), from + data.length);
      const end = from + data.length;
      expect(searchIn(matcher, from, end, end, from)).toEqual(expected);
    }
  });

  test('gives dense hits in order, none lost, though they fill its buffer many times', () => {
    const matcher = matcherOf(engine);
    const needles = ['/home/', '/home//', 'home/', '//', 'e//'].map((text) => bytes(text.padEnd(3, 'h')));
    matcher.load(needles);
    const data = matcher.memory.subarray(matcher.base, matcher.base + matcher.size);
    data.set(bytes('/home/'.repeat(Math.ceil(matcher.size / 6))).subarray(0, matcher.size));
    const end = matcher.base + matcher.size;
    expect(searchIn(matcher, matcher.base, end, end, matcher.base)).toEqual(
      naive(needles, data, 0, data.length),
    );
  });

  test('gives dense hits of fingerprints and hash runs in one order', () => {
    const matcher = matcherOf(engine);
    const needles = ['/a/', ...manyHashes(40), '0'.repeat(32), '0'.repeat(40)].map(bytes);
    matcher.load(needles);
    const data = matcher.memory.subarray(matcher.base, matcher.base + 60_000);
    data.set(bytes(`/a/${'0'.repeat(300)}/a/a/${manyHashes(3)[2]}`.repeat(200)).subarray(0, 60_000));
    const end = matcher.base + data.length;
    expect(searchIn(matcher, matcher.base, end, end, matcher.base)).toEqual(
      naive(needles, data, 0, data.length),
    );
  });

  test("writes nothing into the caller's region", () => {
    const matcher = matcherOf(engine);
    matcher.load(ROOTS.map(bytes));
    const data = matcher.memory.subarray(matcher.base, matcher.base + matcher.size);
    for (let i = 0; i < data.length; i++) data[i] = (i * 7) & 255;
    const before = data.slice();
    const end = matcher.base + matcher.size;
    searchIn(matcher, matcher.base, end, end, matcher.base);
    expect(Buffer.compare(before, data)).toBe(0);
  });
});
