import { spawnSync } from 'node:child_process';
import {
  existsSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/nar-scan', import.meta.url));
const entrySource = fileURLToPath(new URL('../../src/cli/entry.cts', import.meta.url));
const node = realpathSync(process.execPath);
/** Tells how the launcher started it. */
const TELLTALE = `console.log(JSON.stringify({
  node: process.execPath, entry: __filename, words: process.argv.slice(2),
  options: process.env.NODE_OPTIONS, cwd: process.cwd(), flags: process.execArgv }));
process.exitCode = 7;`;

interface Told {
  node: string;
  entry: string;
  words: string[];
  options?: string;
  cwd: string;
  flags: string[];
}

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nar scan\n-launcher-')));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A package that holds the launcher and a telltale, with a Node of its own if asked for. */
function installAt(place: string, ownNode: boolean): string {
  const root = join(folder, place);
  mkdirSync(join(root, 'bin'), { recursive: true });
  mkdirSync(join(root, 'dist/bundle'), { recursive: true });
  copyFileSync(launcher, join(root, 'bin/nar-scan'));
  chmodSync(join(root, 'bin/nar-scan'), 0o755);
  rmSync(join(root, 'bin/nix-realpath'), { force: true });
  symlinkSync('nar-scan', join(root, 'bin/nix-realpath'));
  mkdirSync(join(root, 'dist/bundle/realpath'), { recursive: true });
  for (const bundle of ['entry.cjs', 'realpath/entry.cjs']) {
    writeFileSync(join(root, 'dist/bundle', bundle), TELLTALE);
  }
  if (ownNode) linkNode(join(root, 'node_modules/node/bin/node'));
  return root;
}

function linkNode(place: string): void {
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(node, place);
}

function program(place: string, text: string): string {
  const path = join(folder, place);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

function start(command: string, words: readonly string[] = [], env: Record<string, string> = {}, cwd = '/') {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', env, cwd });
  const told = stdout === '' ? null : (JSON.parse(stdout) as Told);
  return { status, told, stderr };
}

describe('the launcher', () => {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const shells = [
    ['dash', []],
    ['bash', ['--posix']],
    ['busybox', ['sh']],
  ] as const;
  const found = shells.flatMap(([name, options]) => {
    const at = folders.map((place) => join(place, name)).find((place) => existsSync(place));
    return at === undefined ? [] : [{ shell: at, options }];
  });

  it.each([{ shell: '/bin/sh', options: [] }, ...found])(
    'works in an empty environment under $shell',
    ({ shell, options }) => {
      const root = installAt(`empty ${shell.replaceAll('/', '-')}`, true);
      for (const env of [{}, { PATH: '', HOME: '' }]) {
        const words = [...options, join(root, 'bin/nar-scan'), 'a b', '', '--', '-x\n'];
        const { status, told, stderr } = start(shell, words, env);
        expect(stderr).toBe('');
        expect(told?.words).toEqual(['a b', '', '--', '-x\n']);
        expect(told?.entry).toBe(join(root, 'dist/bundle/entry.cjs'));
        expect(status).toBe(7);
      }
    },
  );

  it('turns off what may keep a short run from ending, in words that every Node knows', () => {
    const own = installAt('flags own', true);
    const known = ['--no-concurrent-sparkplug', '--initial-heap-size=128', '--no-memory-protection-keys'];
    const others = ['--single-threaded-gc', '--no-concurrent-recompilation'];
    for (const words of [[], ['scan', 'serve'], ['--help']]) {
      expect(start(join(own, 'bin/nar-scan'), words).told?.flags).toEqual([...known, ...others]);
    }
    expect(start(join(own, 'bin/nix-realpath'), ['serve']).told?.flags).toEqual([...known, ...others]);
    // a server runs long
    expect(start(join(own, 'bin/nar-scan'), ['serve', '-x']).told?.flags).toEqual(known);
    const foreign = installAt('flags foreign', false);
    const env = { NAR_SCAN_NODE: node };
    expect(start(join(foreign, 'bin/nar-scan'), ['x'], env).told?.flags).toEqual(others);
    expect(start(join(foreign, 'bin/nar-scan'), ['serve'], env).told?.flags).toEqual([]);
  });

  it('is found through the links that people and npm make', () => {
    const root = installAt('app/node_modules/nar-scan', false);
    linkNode(join(folder, 'app/node_modules/node/bin/node'));
    const links = {
      'app/node_modules/.bin/nar-scan': '../nar-scan/bin/nar-scan',
      'prefix/bin/nar-scan': '../lib/node_modules/nar-scan/bin/nar-scan',
      'home/bin/x': join(root, 'bin/nar-scan'),
      'home/bin/chain': 'x',
      'home/direct': join(root, 'bin'),
    };
    mkdirSync(join(folder, 'prefix/lib'), { recursive: true });
    symlinkSync(join(folder, 'app/node_modules'), join(folder, 'prefix/lib/node_modules'));
    for (const [link, target] of Object.entries(links)) {
      mkdirSync(dirname(join(folder, link)), { recursive: true });
      symlinkSync(target, join(folder, link));
    }
    for (const link of ['app/node_modules/.bin/nar-scan', 'prefix/bin/nar-scan', 'home/direct/nar-scan']) {
      const { told, stderr } = start(join(folder, link));
      expect(stderr).toBe('');
      expect(told?.entry, link).toBe(join(root, 'dist/bundle/entry.cjs'));
    }
    // Only these need a Node to read the link, and then still run on the package's own.
    const other = join(folder, 'other/node');
    linkNode(other);
    for (const link of ['home/bin/x', 'home/bin/chain']) {
      const { told, stderr } = start(join(folder, link), [], { PATH: dirname(other) });
      expect(stderr).toBe('');
      expect(told?.entry, link).toBe(join(root, 'dist/bundle/entry.cjs'));
    }
  });

  it('starts the program whose name it is called by, through any links', () => {
    const root = installAt('named/node_modules/nar-scan', true);
    const links = {
      'named/node_modules/.bin/nix-realpath': '../nar-scan/bin/nar-scan',
      'named/bin/realpath': '../node_modules/nar-scan/bin/nix-realpath',
      'named/bin/chain': 'realpath',
      'named/here': 'node_modules/nar-scan/bin',
    };
    for (const [link, target] of Object.entries(links)) {
      mkdirSync(dirname(join(folder, link)), { recursive: true });
      symlinkSync(target, join(folder, link));
    }
    const bundle = join(root, 'dist/bundle/realpath/entry.cjs');
    const direct = ['named/node_modules/.bin/nix-realpath', 'named/here/nix-realpath'];
    for (const link of [...direct, 'named/node_modules/nar-scan/bin/nix-realpath']) {
      expect(start(join(folder, link)).told?.entry, link).toBe(bundle);
    }
    linkNode(join(folder, 'named/other/node'));
    for (const link of ['named/bin/realpath', 'named/bin/chain']) {
      const { told, stderr } = start(join(folder, link), ['a'], { PATH: join(folder, 'named/other') });
      expect([stderr, told?.entry, told?.words], link).toEqual(['', bundle, ['a']]);
    }
    const { stderr } = start(join(folder, 'named/bin/chain'), [], { NAR_SCAN_NODE: '/no/such/node' });
    expect(stderr.split('\n').at(-2)).toMatch(/does not start; set NAR_SCAN_NODE/);
  });

  it('keeps the working directory, and can be called by a relative name', () => {
    const root = installAt('relative', true);
    expect(start('bin/nar-scan', [], {}, root).told?.cwd).toBe(root);
    expect(start('./nar-scan', [], { CDPATH: '/' }, join(root, 'bin')).told?.cwd).toBe(join(root, 'bin'));
    expect(start('/bin/sh', ['nar-scan'], {}, join(root, 'bin')).status).toBe(7);
  });

  it('takes $NAR_SCAN_NODE first, then its own Node, then absolute entries of PATH', () => {
    const own = join(installAt('own', true), 'bin/nar-scan');
    const bare = join(installAt('bare', false), 'bin/nar-scan');
    const decoy = program('decoy/node', '#!/bin/sh\necho decoy >&2; exit 9\n');
    expect(start(own, [], { PATH: dirname(decoy) }).status).toBe(7);
    expect(start(own, [], { NAR_SCAN_NODE: decoy }).status).toBe(9);
    expect(start(bare, [], { PATH: `:.:relative:${dirname(decoy)}` }, dirname(decoy)).status).toBe(9);
    linkNode(join(folder, 'good/node'));
    const path = `:.:/nonexistent:${join(folder, 'good')}`;
    expect(start(bare, [], { PATH: path }, dirname(decoy)).status).toBe(7);
  });

  it('does not run a neighbour called node outside node_modules', () => {
    const bare = join(installAt('shared/nar-scan', false), 'bin/nar-scan');
    const planted = program('shared/node/bin/node', '#!/bin/sh\nexit 66\n');
    linkNode(join(folder, 'trusted/node'));
    expect(planted).toBeTruthy();
    expect(start(bare, [], { PATH: join(folder, 'trusted') }).status).toBe(7);
  });

  it('lets no options of other Node programs in', () => {
    const own = join(installAt('options', true), 'bin/nar-scan');
    const { status, told } = start(own, [], { NODE_OPTIONS: '--require /nonexistent.js' });
    expect(status).toBe(7);
    expect(told?.options).toBeUndefined();
  });

  it.each([
    ['is missing', () => join(folder, 'no such node'), /NAR_SCAN_NODE is no program/],
    ['is a directory', () => folder, /NAR_SCAN_NODE is no program/],
    ['is empty', () => program('unfit/empty', ''), /NAR_SCAN_NODE is no program/],
    [
      'has no loader',
      () => program('unfit/loader', '#!/no/such/loader\n'),
      /does not start; set NAR_SCAN_NODE/,
    ],
    [
      'is no program of this machine',
      () => program('unfit/garbage', '\x7fELF\0\0'),
      /does not start; set NAR_SCAN_NODE/,
    ],
  ])('ends with 2 and one clear line when the Node %s', (_what, unfit, message) => {
    const own = join(installAt('unfit package', true), 'bin/nar-scan');
    rmSync(join(folder, 'unfit package/node_modules'), { recursive: true });
    for (const shell of ['/bin/sh', '/bin/bash'].filter(existsSync)) {
      const { status, stderr } = start(shell, [own], { NAR_SCAN_NODE: unfit() });
      expect(status).toBe(2);
      expect(stderr.split('nar-scan: ').at(-1)).toMatch(message);
    }
  });

  it('says so when the package is not built', () => {
    const root = installAt('unbuilt', true);
    rmSync(join(root, 'dist'), { recursive: true });
    const { status, stderr } = start(join(root, 'bin/nar-scan'));
    expect(status).toBe(2);
    expect(stderr).toMatch(/is not built: run npm ci there\n$/);
  });
});

describe('the entry file', () => {
  it.each(['0.10.48', '20.20.2', '22.17.9', '23.11.0'])('refuses Node %s in one clear line', (version) => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require(process.argv[1])`;
    const { status, stdout, stderr } = spawnSync(node, ['-e', pretend, entrySource, '--version'], {
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^nar-scan: Node\.js \S+ at .* is too old; set NAR_SCAN_NODE .*\n$/);
  });

  it.each(['22.18.0', '24.0.0', '26.1.0'])('accepts Node %s', (version) => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require(process.argv[1])`;
    const { status, stdout } = spawnSync(node, ['-e', pretend, entrySource, '--version'], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^nar-scan [0-9.]+\n$/);
    expect(status).toBe(0);
  });

  it('makes no home that is not there, and works with an unwritable one', () => {
    const home = join(folder, 'homeless-shelter');
    for (const env of [
      { HOME: home },
      { HOME: '' },
      { HOME: '/proc' },
      { HOME: home, XDG_CACHE_HOME: 'relative' },
    ]) {
      const { status } = spawnSync(node, [entrySource, '--version'], { env, cwd: folder });
      expect(status).toBe(0);
    }
    expect(existsSync(home)).toBe(false);
  });
});
