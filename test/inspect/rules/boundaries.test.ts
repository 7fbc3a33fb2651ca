import { describe, expect, it } from 'vitest';
import {
  belongsToHost,
  bytesAt,
  componentEnds,
  hashPartAt,
  pathRunEnd,
  pathRunStart,
  pathStarts,
  textAt,
  userNameEnd,
  type Span,
} from '../../../src/inspect/rules/boundaries.ts';

/** A span of Latin-1 text, in the middle of other bytes that must not matter. */
function spanOf(text: string): Span {
  const memory = Buffer.from(`//x${text}x//`, 'latin1');
  return { memory, lo: 3, hi: 3 + text.length };
}

/** Text with a bar at the place in question. */
function place(barred: string): readonly [Span, number] {
  const at = barred.indexOf('|');
  return [spanOf(barred.slice(0, at) + barred.slice(at + 1)), 3 + at];
}

describe('componentEnds', () => {
  it.each([
    '/home/zoe|',
    '/home/zoe|/x',
    '/home/zoe|\0',
    '/home/zoe|:',
    '/home/zoe|"',
    '/home/zoe| x',
    '/home/zoe|.',
    '/home/zoe|. And',
    '/home/zoe|...',
    '/home/zoe|.../x',
    '/home/zoe|./x',
    '/home/zoe|\xff',
    '/home/zoe|\\n',
    '/home/zoe|~',
  ])('%j', (text) => {
    expect(componentEnds(...place(text))).toBe(true);
  });

  it.each([
    '/home/build|root',
    '/home/zoe|2',
    '/home/zoe|-old',
    '/home/zoe|_x',
    '/home/zoe|.old',
    '/home/z|..o',
  ])('not %j', (text) => {
    expect(componentEnds(...place(text))).toBe(false);
  });
});

describe('pathStarts', () => {
  it.each([
    '|/home/x',
    ' |/home/x',
    '"|/home/x',
    '=|/home/x',
    ':|/home/x',
    '\0|/home/x',
    '\xff|/home/x',
    '-L|/home/x',
    ' -I|/home/x',
    '\\n|/home/x',
    '..|/home/x',
    '../..|/home/x',
    ' ../../..|/home/x',
    '/|/home/x',
    ' /|/home/x',
    'file://|/home/x',
    '#!|/home/x',
    '!|/home/x',
  ])('%j', (text) => {
    expect(pathStarts(...place(text))).toBe(true);
  });

  it.each([
    'spirit|/home/x',
    'x.org|/home/x',
    'https:/|/home/x',
    'a/b|/home/x',
    '${x}|/home/x',
    '$x|/home/x',
    '*|/home/x',
    'x-L|/home/x',
    '...|/home/x',
    'x..|/home/x',
    '%|/home/x',
  ])('not %j', (text) => {
    expect(pathStarts(...place(text))).toBe(false);
  });
});

describe('belongsToHost', () => {
  it.each([
    'https://example.com|/home/x',
    'see https://x/a/b|/home/x',
    'http://localhost:80|/home/x',
    'git+ssh://me@x|/home/x',
    'example.com|/home/x',
    ' www.example.com:8080|/home/x',
    'example.org/a/b|/home/x',
    'localhost|/home/x',
    'localhost:80|/home/x',
  ])('%j', (text) => {
    expect(belongsToHost(...place(text))).toBe(true);
  });

  it.each([
    '|/home/x',
    'argument|/home/x',
    'file://|/home/x',
    'file://localhost|/home/x',
    'main.go|/home/x',
    '/c|/home/x',
    'https://example.com |/home/x',
    `https://example.com/${'x'.repeat(300)}|/home/x`,
  ])('not %j', (text) => {
    expect(belongsToHost(...place(text))).toBe(false);
  });
});

describe('runs', () => {
  it('end at what is no byte of a path, at the content, and at what is asked for', () => {
    const span = spanOf('x =/home/z\xc3\xab/a b');
    expect(textAt(span, pathRunStart(span, 3 + 14, 4096), 3 + 14)).toBe('/home/z\xc3\xab/a');
    expect(textAt(span, 6, pathRunEnd(span, 6, 4096))).toBe('/home/z\xc3\xab/a');
    expect(pathRunStart(span, 3 + 14, 2)).toBe(3 + 12);
    expect(pathRunEnd(span, 6, 2)).toBe(8);
    expect(pathRunStart(span, 4, 4096)).toBe(3);
    expect(pathRunEnd(span, 18, 4096)).toBe(span.hi);
  });

  it('of a name are of letters, digits, and dots, dashes and underscores', () => {
    expect(userNameEnd(spanOf('z.o_e-1/x'), 3)).toBe(3 + 7);
    expect(userNameEnd(spanOf('/x'), 3)).toBe(3);
    expect(userNameEnd(spanOf('x'.repeat(300)), 3)).toBe(3 + 256);
  });
});

describe('hashPartAt', () => {
  const hash = '0123456789abcdfghijklmnpqrsvwxyz';

  it('takes 32 characters of base 32 that lie in the content', () => {
    expect(hashPartAt(spanOf(hash), 3)).toBe(true);
    expect(hashPartAt(spanOf(hash.slice(1)), 3)).toBe(false);
    expect(hashPartAt(spanOf(hash.replace('z', 'e')), 3)).toBe(false);
    expect(hashPartAt(spanOf(hash.toUpperCase()), 3)).toBe(false);
  });
});

it('bytesAt never looks beyond the content', () => {
  const span = spanOf('abc');
  expect(bytesAt(span, 3, Buffer.from('abc'))).toBe(true);
  expect(bytesAt(span, 2, Buffer.from('xabc'))).toBe(false);
  expect(bytesAt(span, 3, Buffer.from('abcx'))).toBe(false);
  expect(bytesAt(span, -5, Buffer.from('abc'))).toBe(false);
});
