import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { narHashText, parseNarHash } from '../../src/nix/narHash.ts';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('a NarHash', () => {
  it('is as Nix prints it', () => {
    // nix-hash --type sha256 --flat --base32 of an empty file
    const empty = createHash('sha256').digest();
    expect(narHashText(empty)).toBe('sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73');
  });

  it('is read in each form in which Nix writes it', () => {
    fc.assert(
      fc.property(digest, (bytes) => {
        const text = narHashText(bytes);
        const buffer = Buffer.from(bytes);
        expect(parseNarHash(text)).toBe(text);
        expect(parseNarHash(`sha256:${buffer.toString('hex')}`)).toBe(text);
        expect(parseNarHash(`sha256:${buffer.toString('base64')}`)).toBe(text);
        expect(parseNarHash(`sha256-${buffer.toString('base64')}`)).toBe(text);
      }),
    );
  });

  it.each([
    '',
    'sha256:',
    `sha256:${'0'.repeat(63)}`,
    `sha256-${'0'.repeat(64)}`,
    `sha256:${'z'.repeat(52)}`,
    `sha256:${'e'.repeat(52)}`,
    `sha512:${'0'.repeat(52)}`,
    `sha256:${'0'.repeat(52)}\n`,
    `sha256:${'A'.repeat(43)}`,
  ])('is not %j', (text) => {
    expect(parseNarHash(text)).toBeNull();
  });
});
