import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE32_ALPHABET, BASE32_MEMBERS, base32Decode, base32Encode } from '../../src/nix/base32.ts';
import { needs } from '../support/programs.ts';

describe("Nix's base 32", () => {
  it('writes known hashes as Nix does', () => {
    expect(base32Encode(createHash('sha256').update('').digest())).toBe(
      '0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73',
    );
    expect(base32Encode(createHash('sha1').update('').digest())).toBe('143xibwh31h9bvxzalr0sjvbbvpa6ffs');
    expect(base32Encode(Buffer.from([0x1f]))).toBe('0z');
    expect(base32Encode(Buffer.alloc(0))).toBe('');
  });

  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const text = base32Encode(bytes);
        expect(text).toHaveLength(Math.ceil((bytes.length * 8) / 5));
        expect(base32Decode(text)).toEqual(bytes);
      }),
    );
  });

  it('has one text for one value: what it decodes it encodes to the same text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...BASE32_ALPHABET.split('')), maxLength: 60 }),
        (text) => {
          const bytes = base32Decode(text);
          if (bytes !== null) expect(base32Encode(bytes)).toBe(text);
        },
      ),
    );
  });

  it('decodes no text of a wrong length, with other characters, or with bits beyond the last byte', () => {
    expect(base32Decode('0')).toBeNull();
    expect(base32Decode('000')).toBeNull();
    expect(base32Decode('zz')).toBeNull();
    expect(base32Decode('7z')).toEqual(Uint8Array.of(0xff));
    expect(base32Decode('8z')).toBeNull();
    for (const letter of 'eotuEOTUA /\u0130\u4e00') expect(base32Decode(`0${letter}`)).toBeNull();
  });

  it('has a table of its characters', () => {
    const members = [...BASE32_MEMBERS.keys()].filter((code) => BASE32_MEMBERS[code] === 1);
    expect(String.fromCharCode(...members)).toBe(BASE32_ALPHABET);
    expect(BASE32_ALPHABET).toHaveLength(32);
    expect(BASE32_MEMBERS).toHaveLength(256);
  });

  it.skipIf(!needs('nix-hash'))('is what nix-hash prints', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        const result = spawnSync('nix-hash', ['--type', 'sha256', '--to-base32', hex], { encoding: 'utf8' });
        expect(result.stdout.trim()).toBe(base32Encode(bytes));
      }),
      { numRuns: 10 },
    );
  });
});
