import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteStringOfText } from '../../src/model/bytes.ts';
import { compileGlob, exactGlob, literalOf, refuseGlob } from '../../src/policy/glob.ts';
import { anyBytes } from '../report/arbitraryFacts.ts';
import { globOracle } from './globOracle.ts';

const matches = (glob: string, value: string) => compileGlob(glob)(byteStringOfText(value));

describe('a glob', () => {
  it.each([
    ['bin/*', 'bin/hello', true],
    ['bin/*', 'bin/x/y', false],
    ['bin/*', 'bin/', true],
    ['share/**', 'share/doc/x', true],
    ['share/**', 'shared', false],
    ['**/x', 'x', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'ax', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'axb', false],
    ['a**/b', 'ac/d/b', true],
    ['a**/b', 'ab', false],
    ['?', 'ż', true],
    ['?', '🙂', true],
    ['??', 'ż', false],
    ['?', 'żż', false],
    ['??', 'żż', true],
    ['?', '/', false],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['\\xff', 'ÿ', false],
    ['', '', true],
    ['', 'x', false],
    ['**', '', true],
  ])('%j on %j: %s', (glob, value, expected) => {
    expect(matches(glob, value)).toBe(expected);
  });

  it('matches bytes that are no text', () => {
    expect(compileGlob('a\\xffb')('a\xffb')).toBe(true);
    expect(compileGlob('a?b')('a\xff\x80b')).toBe(true);
    expect(compileGlob('a?')('ab\x80')).toBe(false);
  });

  it('means what trying everything says', () => {
    const piece = fc.constantFrom('a', 'b', '/', '*', '**', '**/', '?', '\\*', '\\x61');
    const glob = fc.array(piece, { maxLength: 7 }).map((parts) => parts.join(''));
    const value = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 });
    fc.assert(
      fc.property(glob, value, (text, bytes) => {
        expect(refuseGlob(text)).toBeNull();
        expect(compileGlob(text)(bytes)).toBe(globOracle(text, bytes));
      }),
      { numRuns: 5000 },
    );
  });

  it('that is exact means these bytes and no others', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (bytes, other) => {
        const glob = exactGlob(bytes);
        expect(refuseGlob(glob)).toBeNull();
        expect(literalOf(glob)).toBe(bytes);
        expect(compileGlob(glob)(bytes)).toBe(true);
        expect(compileGlob(glob)(other)).toBe(bytes === other);
      }),
    );
  });

  it('takes the product of both lengths at most', () => {
    const started = performance.now();
    expect(compileGlob('**a*'.repeat(200) + 'c')('ab'.repeat(2000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each(['\\', 'a\\b', '\\x', '\\xg0', 'x'.repeat(65_537), '\ud800'])('%j is none', (text) => {
    expect(refuseGlob(text)).not.toBeNull();
  });
});
