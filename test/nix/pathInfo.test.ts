import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foundPaths } from '../../src/nix/pathInfo.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

const STORE = '/nix/store';
const found = (printed: unknown) => {
  const paths = foundPaths(typeof printed === 'string' ? printed : JSON.stringify(printed), STORE);
  return paths && [...paths];
};

describe('what nix path-info found', () => {
  it('is read of a list, as Nix up to 2.18 and Lix print it', () => {
    expect(
      found([
        { path: `${STORE}/a`, narHash: 'x' },
        { path: `${STORE}/b`, valid: false },
        { path: `${STORE}/c`, valid: true },
      ]),
    ).toEqual([`${STORE}/a`, `${STORE}/c`]);
  });

  it('is read of an object by path, and of one by name behind a version', () => {
    expect(found({ [`${STORE}/a`]: { narHash: 'x' }, [`${STORE}/b`]: null })).toEqual([`${STORE}/a`]);
    expect(found({ version: 3, storeDir: STORE, info: { a: { narHash: 'x' }, b: null } })).toEqual([
      `${STORE}/a`,
    ]);
  });

  it.each(['', 'x', '1', 'null', '"a"'])('is unknown if it printed %j', (printed) => {
    expect(found(printed)).toBeNull();
  });

  it('is nothing in what else it may print', () => {
    fc.assert(fc.property(fc.json(), (json) => void found(json)));
    expect(found([null, 1, { path: 5 }, {}])).toEqual([]);
  });

  it.skipIf(!needs('nix'))('is read of what Nix prints here', () => {
    using store = new SymlinkedStore();
    const [there, missing] = [store.build('there', 'echo > $out'), store.build('missing', 'echo > $out')];
    const cache = `file://${store.folder}/cache`;
    store.copy(cache, there);
    const printed = execFileSync(
      'nix',
      [
        '--extra-experimental-features',
        'nix-command',
        'path-info',
        '--json',
        '--option',
        'substitute',
        'false',
        '--store',
        cache,
        there,
        missing,
      ],
      {
        env: { PATH: process.env['PATH'], HOME: store.folder, NIX_STORE_DIR: store.storeDir },
        stdio: 'pipe',
      },
    );
    expect(found(printed.toString())).toEqual([there]);
  });
});
