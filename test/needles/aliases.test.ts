import { describe, expect, it } from 'vitest';
import { refuseAlias } from '../../src/needles/aliases.ts';

describe('an alias of the store dir', () => {
  it.each([
    '/home/u/nix/store',
    '/gpfs/u17/q/nix/store',
    '/var/lib/docker/volumes/nix/_data/store',
    '/u/nix/store',
  ])('may be %j', (path) => {
    expect(refuseAlias(path, '/nix/store')).toBeNull();
  });

  it.each([
    ['', '/nix/store'],
    ['relative/store', '/nix/store'],
    ['/a/../nix/store', '/nix/store'],
    ['/a\0b/store', '/nix/store'],
    ['/', '/nix/store'],
    ['/usr', '/nix/store'],
    ['/usr/lib', '/nix/store'],
    ['/home', '/nix/store'],
    ['/nix', '/nix/store'],
    ['/nix/store', '/nix/store'],
    ['//nix/./store/', '/nix/store'],
    ['/nix/store', '/home/u/nix/store'],
    ['/gnu/store', '/nix/store'],
    ['/store', '/nix/store'],
    ['/pkgs/store', '/data/pkgs/store'],
    ['/ab', '/nix/store'],
    [`/${'x'.repeat(4000)}`, '/nix/store'],
  ])('is not %j of %j: it would be found everywhere, or nowhere', (path, storeDir) => {
    expect(refuseAlias(path, storeDir)).toEqual(expect.any(String));
  });
});
