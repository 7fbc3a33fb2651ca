import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE32_ALPHABET } from '../../src/nix/base32.ts';
import { canonicalStoreDir, parsePathInStore, parseStorePathName } from '../../src/nix/storePath.ts';

const HASH = BASE32_ALPHABET;
const hashPart = fc.string({
  unit: fc.constantFrom(...BASE32_ALPHABET.split('')),
  minLength: 32,
  maxLength: 32,
});
const name = fc
  .string({ unit: fc.constantFrom(...'abzABZ019+-._?='.split('')), minLength: 1, maxLength: 211 })
  .filter((value) => !/^\.\.?(-|$)/.test(value));

describe("a store path's base name", () => {
  it('is taken apart', () => {
    expect(parseStorePathName(`${HASH}-hello-2.12`)).toEqual({ hashPart: HASH, name: 'hello-2.12' });
    fc.assert(
      fc.property(hashPart, name, (hash, value) => {
        expect(parseStorePathName(`${hash}-${value}`)).toEqual({ hashPart: hash, name: value });
      }),
    );
  });

  it('has a name of 1 to 211 characters', () => {
    expect(parseStorePathName(`${HASH}-${'n'.repeat(211)}`)).not.toBeNull();
    expect(parseStorePathName(`${HASH}-${'n'.repeat(212)}`)).toBeNull();
    expect(parseStorePathName(`${HASH}-`)).toBeNull();
    expect(parseStorePathName(HASH)).toBeNull();
  });

  it('may begin with a dot, but its first part is no dot and no two dots', () => {
    for (const good of ['.a', '..a', '...', '.a-b', 'a-.', '...-a', '.lock']) {
      expect(parseStorePathName(`${HASH}-${good}`)).toMatchObject({ name: good });
    }
    for (const bad of ['.', '..', '.-', '..-', '.-a', '..-a']) {
      expect(parseStorePathName(`${HASH}-${bad}`)).toBeNull();
    }
  });

  it('has only the characters that Nix allows', () => {
    for (let code = 0; code < 256; code++) {
      const allowed = /[0-9a-zA-Z+\-._?=]/.test(String.fromCharCode(code));
      expect(parseStorePathName(`${HASH}-a${String.fromCharCode(code)}`) !== null).toBe(allowed);
      const inHash = BASE32_ALPHABET.includes(String.fromCharCode(code));
      expect(parseStorePathName(`${String.fromCharCode(code)}${HASH.slice(1)}-a`) !== null).toBe(inHash);
    }
  });

  it('needs a hash part of 32 characters and a dash', () => {
    expect(parseStorePathName(`${HASH.slice(1)}-a`)).toBeNull();
    expect(parseStorePathName(`${HASH}0-a`)).toBeNull();
    expect(parseStorePathName(`${HASH}_a`)).toBeNull();
    expect(parseStorePathName('')).toBeNull();
  });
});

describe('a path in a store', () => {
  const storePath = `/nix/store/${HASH}-a`;

  it('is taken apart', () => {
    const parts = { storePath, hashPart: HASH, name: 'a' };
    expect(parsePathInStore('/nix/store', storePath)).toEqual({ ...parts, inside: '' });
    expect(parsePathInStore('/nix/store', `${storePath}/bin/x`)).toEqual({ ...parts, inside: 'bin/x' });
    expect(parsePathInStore('/home/u/nix/store', `/home/u${storePath}/bin`)).toMatchObject({ inside: 'bin' });
  });

  it('lies below the store dir by whole parts', () => {
    for (const outside of [
      '/nix/store',
      '/nix/store/',
      `/nix/storey/${HASH}-a`,
      `/home/u${storePath}`,
      storePath.slice(1),
      `/nix/store/.links/x`,
      `/nix/store//${HASH}-a`,
    ]) {
      expect(parsePathInStore('/nix/store', outside)).toBeNull();
    }
  });

  it('is none if its text climbs or repeats a slash', () => {
    for (const rest of ['/../x', '/./x', '/x/..', '//x', '/']) {
      expect(parsePathInStore('/nix/store', `${storePath}${rest}`)).toBeNull();
    }
  });
});

describe('a store dir', () => {
  it('is brought to the form that stands in store paths', () => {
    expect(canonicalStoreDir('/nix/store')).toBe('/nix/store');
    expect(canonicalStoreDir('//nix/./store//')).toBe('/nix/store');
    expect(canonicalStoreDir('/nix/var/../store/.')).toBe('/nix/store');
    expect(canonicalStoreDir('/../nix/store')).toBe('/nix/store');
  });

  it('is absolute, not the root, and has no NUL byte', () => {
    for (const bad of ['', '/', '//', '/.', '/x/..', 'nix/store', './store', '/nix/st\0re']) {
      expect(canonicalStoreDir(bad)).toBeNull();
    }
  });

  it('is canonical once it was made so', () => {
    const anyPath = fc.array(fc.constantFrom('a', '.', '..', '', 'nix'), { maxLength: 8 });
    fc.assert(
      fc.property(anyPath, (parts) => {
        const once = canonicalStoreDir(`/${parts.join('/')}`);
        if (once !== null) expect(canonicalStoreDir(once)).toBe(once);
      }),
    );
  });
});
