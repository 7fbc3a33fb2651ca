import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Matcher } from '../../src/kernel/matcher.ts';
import { bytes, ENGINES, matcherOf, naive, searchIn, type Hit } from './support.ts';

const ALPHABETS = [
  'ab',
  '/aeh',
  '0123456789abcdfghijklmnpqrsvwxyz',
  '/\\homeUsrtxi-',
  '\0\x7f\x80\xff',
  'pP`0 @',
];

/** Needles and data over one small alphabet, so that near misses and overlaps are the rule. */
const searches = fc.constantFrom(...ALPHABETS).chain((alphabet) => {
  const text = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength, size: 'max' });
  const needle = fc.oneof({ weight: 6, arbitrary: text(3, 9) }, text(32, 40), text(9, 120));
  return fc.record({
    needles: fc
      .array(needle, { minLength: 1, maxLength: 400, size: 'max' })
      .map((list) => list.slice(0, 400)),
    some: fc.array(fc.tuple(text(0, 40), fc.nat()), { minLength: 1, maxLength: 40, size: 'max' }),
    few: fc.nat(400),
    alignment: fc.nat(63),
    hasty: fc.boolean(),
    cuts: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    tail: fc.nat(600),
  });
});

/** Random text with needles strewn in. */
function dataOf(needles: readonly string[], some: readonly (readonly [string, number])[]): Uint8Array {
  return bytes(some.map(([text, pick]) => text + (needles[pick % needles.length] as string)).join(''));
}

function put(matcher: Matcher, data: Uint8Array, alignment: number): number {
  const start = matcher.base + alignment;
  matcher.memory.set(data, start);
  return start;
}

describe.each(ENGINES)('the %s engine', (engine) => {
  test('finds what a naive search finds, in any range', () => {
    fc.assert(
      fc.property(searches, ({ needles: all, some, few, alignment, hasty, cuts, tail }) => {
        const matcher = matcherOf(engine);
        const texts = all.slice(0, 1 + (few % all.length));
        const needles = texts.map(bytes);
        const data = dataOf(texts, some);
        matcher.load(needles, [], hasty);
        const start = put(matcher, data, alignment);
        const [low, high] = cuts.map((cut) => Math.floor(cut * data.length)).sort((a, b) => a - b) as [
          number,
          number,
        ];
        const limit = Math.min(high + tail, data.length);
        const expected = naive(needles, data.subarray(0, limit), low, high);
        expect(searchIn(matcher, start + low, start + high, start + limit, start)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('finds what a naive search finds when few needles changed since the search before', () => {
    const matcher = matcherOf(engine);
    const word = fc.string({ unit: fc.constantFrom(...'/home\\%x0\0'), minLength: 3, maxLength: 8 });
    const fixed = Array.from({ length: 80 }, (_, i) => `/h${String(i)}\xffome%`);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), fc.nat(), (own, turn) => {
        const texts = [...fixed.slice(turn % 7), ...own, ...fixed.slice(0, turn % 7)].slice(turn % 5);
        const needles = texts.map(bytes);
        const data = bytes(texts.join('h') + own.join('/hom') + fixed.join(''));
        matcher.load(needles, [], turn % 2 === 0);
        const start = put(matcher, data, turn % 64);
        const end = start + data.length;
        expect(searchIn(matcher, start, end, end, start)).toEqual(naive(needles, data, 0, data.length));
      }),
      { numRuns: 100 },
    );
  });

  test('finds the same in chunks that carry a tail as in one pass', () => {
    fc.assert(
      fc.property(searches, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (search, sizes) => {
        const matcher = matcherOf(engine);
        const texts = search.needles.slice(0, 1 + (search.few % 20));
        const needles = texts.map(bytes);
        const data = dataOf(texts, search.some);
        matcher.load(needles);
        expect(inChunks(matcher, needles, data, sizes)).toEqual(naive(needles, data, 0, data.length));
      }),
      { numRuns: 200 },
    );
  });
});

/** As a stream is searched: each chunk stands behind the last bytes of the one before. */
function inChunks(
  matcher: Matcher,
  needles: readonly Uint8Array[],
  data: Uint8Array,
  sizes: readonly number[],
): Hit[] {
  const carry = Math.max(...needles.map(({ length }) => length)) - 1;
  const hits: Hit[] = [];
  let held = 0;
  for (let at = 0, chunk = 0; at < data.length; chunk++) {
    const size = Math.min(sizes[chunk % sizes.length] as number, data.length - at);
    matcher.memory.set(data.subarray(at, at + size), matcher.base + held);
    const end = matcher.base + held + size;
    const isLast = at + size === data.length;
    const to = isLast ? end : Math.max(matcher.base, end - carry);
    hits.push(...searchIn(matcher, matcher.base, to, end, matcher.base - (at - held)));
    matcher.memory.copyWithin(matcher.base, to, end);
    held = end - to;
    at += size;
  }
  return hits;
}
