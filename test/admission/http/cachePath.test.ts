import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheObjectOf, plainPathOf, withoutMoreSlashes } from '../../../src/admission/http/cachePath.ts';

const HASH_PART = '0123456789abcdfghijklmnpqrsvwxyz';

const objectOf = (target: string) => {
  const path = plainPathOf(target);
  return path === null ? null : cacheObjectOf(path);
};

describe('paths of a binary cache', () => {
  it('knows what clients of Nix ask for', () => {
    expect(objectOf('/nix-cache-info')).toEqual({ kind: 'info' });
    const name = `${HASH_PART}.narinfo`;
    expect(objectOf(`/${name}`)).toEqual({ kind: 'narinfo', name, hashPart: HASH_PART });
    const listing = `${HASH_PART}.ls`;
    expect(objectOf(`/${listing}`)).toEqual({ kind: 'listing', name: listing, hashPart: HASH_PART });
    const nar = `nar/${'1'.repeat(52)}.nar.xz`;
    expect(objectOf(`/${nar}`)).toEqual({ kind: 'nar', name: nar });
    for (const object of [
      `log/${HASH_PART}-hello.drv`,
      'debuginfo/00ff.debug',
      'realisations/sha256:00!out.doi',
      'build-trace-v2/a.drv/out.doi',
    ]) {
      expect(objectOf(`/${object}`)).toEqual({ kind: 'object', name: object });
    }
  });

  it('leaves the query out', () => {
    expect(objectOf('/nix-cache-info?x=/../y%00')).toEqual({ kind: 'info' });
  });

  it('reads the escapes that clients write into names, and no other', () => {
    expect(objectOf('/realisations/sha256%3A00%21out.doi')).toEqual({
      kind: 'object',
      name: 'realisations/sha256:00!out.doi',
    });
    expect(objectOf('/log/x%3fy')).toEqual({ kind: 'object', name: 'log/x?y' });
    for (const escaped of ['%2e%2e', '%2f', '%00', '%6cog', '%c0%ae', '%25', '%', '%2', '%zz', '%2d']) {
      expect(plainPathOf(`/log/${escaped}`), escaped).toBeNull();
    }
  });

  it.each([
    '',
    '*',
    'nix-cache-info',
    'http://x/nix-cache-info',
    '//nix-cache-info',
    '/nar//x',
    '/nar/./x',
    '/nar/../x',
    '/..',
    '/nar/',
    '/nar/x\0y',
    '/nar/x\\y',
    '/nar/x y',
    '/nar/\u00c0\u00ae',
    '/nar/x\u202e',
    `/nar/${'x'.repeat(5000)}`,
  ])('is no path that means one thing: %j', (target) => {
    expect(objectOf(target)).toBeNull();
  });

  it.each([
    '/',
    '/nar',
    '/nar/x/y',
    '/x',
    '/x/y',
    '/log',
    `/${HASH_PART}`,
    `/${HASH_PART}.narinfo.xz`,
    `/x${HASH_PART}.narinfo`,
    `/${HASH_PART.replace('0', 'e')}.narinfo`,
    `/${HASH_PART.toUpperCase()}.narinfo`,
    `/nar/${HASH_PART}.narinfo/x`,
  ])('is no object of a cache: %j', (target) => {
    expect(objectOf(target)).toBeNull();
  });

  it.each([
    ['/review/', '/review'],
    ['//review//outputs/0//', '/review/outputs/0'],
    ['/review/?text=a/../b', '/review?text=a/../b'],
    ['///', '/'],
    ['//evil.example/x', '/evil.example/x'],
    ['/review', null],
    ['/', null],
    ['review/', null],
    ['*', null],
    ['http://other//review', null],
    ['/review/../', null],
    ['/review/%2f/', null],
    ['/\\evil.example/', null],
    ['/review/?\r\nx', null],
    ['//nix-cache-info', null],
    ['/nar//x', null],
  ])('leads on from slashes too many: %j', (target, meant) => {
    expect(withoutMoreSlashes(target)).toBe(meant);
  });

  it('never names anything above or beside where it looks', () => {
    const piece = fc.constantFrom('.', '..', '/', '%2e', '%2F', 'nar', 'log', '\0', '\\', 'a', '%', '?', '!');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const object = objectOf(`/${pieces.join('')}`);
        if (object === null || object.kind === 'info') return;
        const parts = object.name.split('/');
        expect(parts.every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true);
        expect(object.name).toMatch(/^[!-~]+$/);
        expect(object.name).not.toMatch(/[%\\]/);
      }),
      { numRuns: 2000 },
    );
  });
});
