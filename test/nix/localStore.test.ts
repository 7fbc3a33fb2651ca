import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localStoreOf, stateDirsOf } from '../../src/nix/localStore.ts';

const DEFAULT = { root: null, storeDir: null, realDir: null, stateDir: null };

describe('a store URL', () => {
  it.each(['', 'auto', 'daemon', 'local', 'local://', 'unix:///run/nix', '/', 'local?root=/', 'daemon?x=1'])(
    '%j is the default store',
    (url) => {
      expect(localStoreOf(url)).toEqual(DEFAULT);
    },
  );

  it.each([
    ['/home/u/x', '/home/u/x'],
    ['/home/u/x/', '/home/u/x'],
    ['./x', resolve('x')],
    ['local?root=/home/u/x', '/home/u/x'],
    ['local://home/u', resolve('home/u')],
    ['local:///home/u/x', '/home/u/x'],
    ['local?root=/home/%75/x', '/home/u/x'],
  ])('%j is a chroot store', (url, root) => {
    expect(localStoreOf(url)).toEqual({ ...DEFAULT, root });
  });

  it('may say where everything lies', () => {
    expect(localStoreOf('local?store=/a&state=/b&real=/c')).toEqual({
      root: null,
      storeDir: '/a',
      stateDir: '/b',
      realDir: '/c',
    });
  });

  it.each([
    'ssh://host',
    'ssh-ng://host/x',
    'https://cache.example.org',
    's3://bucket',
    'file:///srv/cache',
    'x',
  ])('%j is no store on this machine', (url) => {
    expect(localStoreOf(url)).toBeNull();
  });
});

describe('the state of a store', () => {
  it('lies where the URL says, below the root, where the environment says, or beside the store', () => {
    const environment = { NIX_STATE_DIR: '/s' };
    expect(stateDirsOf('/nix/store', localStoreOf('local?state=/b&root=/r'), environment)).toEqual(['/b']);
    expect(stateDirsOf('/nix/store', localStoreOf('/r'), environment)).toEqual(['/r/nix/var/nix']);
    expect(stateDirsOf('/nix/store', null, environment)).toEqual(['/s']);
    expect(stateDirsOf('/nix/store', localStoreOf('daemon'), {})).toEqual(['/nix/var/nix']);
    expect(stateDirsOf('/x/store', null, {})).toEqual(['/x/var/nix', '/nix/var/nix']);
  });
});
