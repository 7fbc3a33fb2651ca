import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nixRealpath } from '../../src/index.ts';
import { asNobody } from '../support/asNobody.ts';
import type { RealpathOptions } from '../../src/nix/realpath.ts';

const X = '0123456789abcdfghijklmnpqrsvwxyz-x';
const Y = '1123456789abcdfghijklmnpqrsvwxyz-y';

const start = process.cwd();
const folders: string[] = [];
let folder: string;
let physical: string;

/** A store in a home, with two paths in it. The logical one is a link to it unless a test makes another. */
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nar-scan-realpath-')));
  folders.push(folder);
  physical = join(folder, 'home/noamyr/nix/store');
  for (const path of [X, Y]) mkdirSync(join(physical, path, 'bin'), { recursive: true });
  writeFileSync(join(physical, X, 'bin/tool'), '');
  mkdirSync(join(folder, 'home/noamyr/nix/var/nix/profiles'), { recursive: true });
  link('nix', 'home/noamyr/nix');
});
afterEach(() => process.chdir(start));
afterAll(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

function link(place: string, target: string): void {
  mkdirSync(dirname(join(folder, place)), { recursive: true });
  symlinkSync(target, join(folder, place));
}

/** The result with the temporary folder taken off, which every path here begins with. */
function resolved(path: string, options: RealpathOptions = {}, storeDir = 'nix/store'): string {
  const found = nixRealpath(path, { storeDir: join(folder, storeDir), ...options });
  return found.startsWith(`${folder}/`) ? found.slice(folder.length + 1) : found;
}
const at = (...parts: string[]): string => join(folder, ...parts);

describe('a path in the store keeps the logical name', () => {
  it('from the logical and the physical side, also the store itself', () => {
    for (const side of [at('nix/store'), physical]) {
      expect(resolved(`${side}/${X}/bin/tool`)).toBe(`nix/store/${X}/bin/tool`);
      expect(resolved(`${side}/${X}/../${Y}/./bin/`)).toBe(`nix/store/${Y}/bin`);
      expect(resolved(side)).toBe('nix/store');
    }
  });

  it('through other links, and by links from one store path to another', () => {
    link('result', join(physical, X));
    link('chain', 'result/bin');
    link(`home/noamyr/nix/store/${Y}/bin/up`, `../../${X}/bin/tool`);
    link(`home/noamyr/nix/store/${Y}/bin/whole`, join(physical, X));
    expect(resolved(at('result/bin'))).toBe(`nix/store/${X}/bin`);
    expect(resolved(at('chain/tool'))).toBe(`nix/store/${X}/bin/tool`);
    expect(resolved(at('nix/store', Y, 'bin/up'))).toBe(`nix/store/${X}/bin/tool`);
    expect(resolved(at('nix/store', Y, 'bin/whole/bin'))).toBe(`nix/store/${X}/bin`);
  });

  it('by relative paths, from a working directory on either side', () => {
    for (const side of [at('nix/store'), physical]) {
      process.chdir(join(side, X));
      expect(resolved('bin/tool')).toBe(`nix/store/${X}/bin/tool`);
      expect(resolved('.')).toBe(`nix/store/${X}`);
      for (const links of ['physical', 'logical', 'none'] as const) {
        expect(resolved(`../${Y}/bin`, { links })).toBe(`nix/store/${Y}/bin`);
      }
    }
  });

  it('where the store itself is the link, where several links lead there, where it is none', () => {
    link('direct', physical);
    link('away/far', '../nix');
    for (const storeDir of ['direct', 'away/far/store', 'home/noamyr/nix/store', 'nix/../nix/./store//']) {
      const name = storeDir.startsWith('nix') ? 'nix/store' : storeDir;
      for (const side of [at('direct'), at('nix/store'), physical]) {
        expect(resolved(`${side}/${X}/bin`, {}, storeDir)).toBe(`${name}/${X}/bin`);
      }
    }
  });

  it('where no link is followed and the text has another name of the store', () => {
    link('home/other', 'noamyr');
    const links = 'none';
    expect(resolved(at('home/other/nix/store', X), { links })).toBe(`nix/store/${X}`);
    expect(resolved(`${physical}/${X}`, { links })).toBe(`nix/store/${X}`);
    expect(resolved(at('nix/store', X), { links })).toBe(`nix/store/${X}`);
    link(`home/noamyr/nix/store/${Y}/self`, `../${X}`);
    expect(resolved(`${physical}/${Y}/self`, { links })).toBe(`nix/store/${Y}/self`);
  });

  it('when it does not exist yet, nor the store', () => {
    expect(resolved(`${physical}/${X}/new`)).toBe(`nix/store/${X}/new`);
    link('dangling', `home/noamyr/nix/store/${X}/new`);
    expect(resolved(at('dangling'))).toBe(`nix/store/${X}/new`);
    rmSync(physical, { recursive: true });
    for (const side of [at('nix/store'), physical]) {
      expect(resolved(`${side}/${X}/y`, { existence: 'none' })).toBe(`nix/store/${X}/y`);
    }
  });

  it('as bytes, where it is not UTF-8', () => {
    const name = Buffer.from(`${physical}/${X}/\xff\n`, 'latin1');
    writeFileSync(name, '');
    const storeDir = at('nix/store');
    expect(nixRealpath(name, { storeDir }).toString('latin1')).toBe(`${storeDir}/${X}/\xff\n`);
    symlinkSync(name, at('odd'));
    expect(() => resolved(at('odd'))).toThrow(/cannot be resolved \(EILSEQ\)/);
  });
});

describe('a path elsewhere', () => {
  it('is what realpath makes of it, also right beside the store', () => {
    for (const path of ['nix', 'nix/store/..', 'nix/var', 'home/noamyr/nix/storeroom']) {
      mkdirSync(at('home/noamyr/nix/storeroom'), { recursive: true });
      const found = nixRealpath(`${folder}/${path}`, { storeDir: at('nix/store'), stateDir: '/no/state' });
      expect(found).toBe(realpathSync(at(path)));
    }
  });

  it('in the state directory keeps the name of that', () => {
    expect(resolved(at('home/noamyr/nix/var/nix/profiles'))).toBe('nix/var/nix/profiles');
    link('state', 'home/noamyr/nix/var/nix');
    const stateDir = at('state');
    expect(resolved(at('nix/var/nix/profiles'), { stateDir })).toBe('state/profiles');
  });

  it('never becomes a store path because a store directory is a link to the root', () => {
    link('root', '/');
    expect(nixRealpath('/etc', { storeDir: at('root') })).toBe(realpathSync('/etc'));
  });
});

describe('what cannot be resolved', () => {
  it('is an error that says why', () => {
    link('self', 'self');
    link('grows', 'grows/x');
    writeFileSync(at('file'), '');
    const fault = (path: string, options?: RealpathOptions) => {
      try {
        return resolved(path, options);
      } catch (error) {
        return /\((E[A-Z]+)\)/.exec(String(error))?.[1];
      }
    };
    expect(fault('')).toBe('ENOENT');
    expect(fault(at('no/x'))).toBe('ENOENT');
    expect(fault(at('nix/store/no'), { existence: 'all' })).toBe('ENOENT');
    expect(fault(`${folder}/file/`)).toBe('ENOTDIR');
    expect(fault(`${folder}/file/..`)).toBe('ENOTDIR');
    expect(fault(at('self'))).toBe('ELOOP');
    expect(fault(at('grows'))).toBe('ELOOP');
    expect(fault(at('grows'), { existence: 'none' })).toBe('ELOOP');
    expect(fault(`/${'x'.repeat(300)}`)).toBe('ENAMETOOLONG');
    expect(fault(`/${'x/'.repeat(60_000)}`, { existence: 'all' })).toBe('ENOENT');
    expect(fault('a\0b')).toBe('EINVAL');
    expect(() => nixRealpath('/', { storeDir: 'relative' })).toThrow(/no absolute path/);
    expect(() => nixRealpath('/', { stateDir: '/' })).toThrow(/no absolute path/);
  });

  it('is what nobody may look at', async () => {
    const closed = at('closed');
    mkdirSync(join(closed, 'in'), { recursive: true });
    chmodSync(folder, 0o755);
    chmodSync(closed, 0);
    await asNobody(() => {
      expect(() => resolved(join(closed, 'in'))).toThrow(/cannot be resolved \(EACCES\)/);
      expect(resolved(closed)).toBe('closed');
      // a store that cannot be looked at keeps its name by its text
      expect(resolved(join(closed, X), { existence: 'none' }, 'closed')).toBe(`closed/${X}`);
    });
  });
});
