import { expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.ts';
import { compileNeedles } from '../../src/needles/compile.ts';
import { context } from '../inspect/support.ts';

/** Needles of the kernel that are left for the magics of containers. */
const MAGICS = 64;

const hashPart = (number: number): string => `${number}${'0'.repeat(32)}`.slice(0, 32);

it('homes under a root need no encoded needles of their own', () => {
  const alone = compileNeedles(context()).encoded.length;
  expect(compileNeedles(context({ homes: ['/home/zoe', '/Users/zoë'] })).encoded).toHaveLength(alone);
});

const homesUnder = (root: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${root}/u${10_000 + index}`);

it('searches for hundreds of homes outside the usual roots in every encoding, with many hash parts', () => {
  const homes = homesUnder('/gpfs', 300);
  const hashParts = Array.from({ length: 500 }, (_, index) => hashPart(100 + index));
  const { needles, encoded, patterns } = compileNeedles(context({ homes, hashParts }));
  expect(patterns).toHaveLength(needles.length + encoded.length);
  expect(patterns.length).toBeLessThanOrEqual(LIMITS.needles - MAGICS);
  for (const { length } of patterns) {
    expect(length).toBeGreaterThanOrEqual(3);
    expect(length).toBeLessThanOrEqual(LIMITS.needleBytes);
  }
  for (const form of ['utf16', 'utf32', 'hex', 'base64', 'escaped']) {
    const targets = encoded.filter((needle) => needle.form === form).flatMap((needle) => needle.targets);
    const found = new Set(targets.map(({ needle }) => needles[needle]?.text));
    for (const home of homes) expect(found).toContain(home);
  }
});

it('refuses more than the kernel takes: no needle goes without its encodings', () => {
  expect(() => compileNeedles(context({ homes: homesUnder('/home', 5000) }))).not.toThrow();
  expect(() => compileNeedles(context({ homes: homesUnder('/gpfs', 2000) }))).toThrow(
    expect.objectContaining({ code: 'NEEDLES_TOO_MANY' }),
  );
});

it('searches for the first 64 hash parts in every encoding, for more of them plainly only', () => {
  const hashParts = Array.from({ length: 70 }, (_, index) => hashPart(99 - index));
  const { needles, encoded } = compileNeedles(context({ hashParts }));
  const wide = encoded.filter(({ form }) => form === 'utf16');
  const found = new Set(wide.flatMap(({ targets }) => targets.map(({ needle }) => needles[needle]?.text)));
  for (const [index, part] of hashParts.entries()) expect(found.has(part)).toBe(index < 64);
});

it('spells short and odd homes in bytes that the kernel takes', () => {
  const homes = ['/q', '/u/q', '/ab/c', '/a b/c', '/zoë/x', '/日本/x', `/${'deep/'.repeat(200)}x`];
  const { patterns } = compileNeedles(context({ homes: homes.filter((home) => home.length > 2) }));
  for (const { length } of patterns) expect(length).toBeGreaterThanOrEqual(3);
});
