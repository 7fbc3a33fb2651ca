import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteStringOfText, displayText } from '../../src/model/bytes.ts';
import { NarScanError } from '../../src/model/errors.ts';
import { localStoreOf } from '../../src/nix/localStore.ts';
import { resolveTarget, type StoreDirs, storeDirs } from '../../src/sources/target.ts';
import { asNobody } from '../support/asNobody.ts';
import { file, nar } from '../support/narWriter.ts';

const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
const NAME = `${HASH}-tool-1.0`;
const SMALL_NAR = nar(file('x'));
const LINK_NAME = `${HASH.replace('0', '1')}-link`;

let folder: string;
/** Where the store really lies, and what everybody calls it. */
let physical: string;
let logical: string;
let stores: StoreDirs;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nar-scan-target-')));
  physical = join(folder, 'home/u/nix/store');
  logical = join(folder, 'nix/store');
  mkdirSync(join(physical, NAME, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'nix'));
  mkdirSync(join(folder, 'work'));
  symlinkSync(physical, logical);
  writeFileSync(join(physical, NAME, 'bin/tool'), 'tool');
  symlinkSync('tool', join(physical, NAME, 'bin/alias'));
  symlinkSync(join(logical, NAME), join(physical, LINK_NAME));
  stores = await storeDirs(logical);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** A new link below `work`. */
function link(to: string, name = `link-${count++}`): string {
  const path = join(folder, 'work', name);
  symlinkSync(to, path);
  return path;
}

const resolve = (argument: string): ReturnType<typeof resolveTarget> => resolveTarget(argument, stores);

/** The whole store path, read through the side from which it was reached. */
const inStore = (store: string, name = NAME): object => ({
  kind: 'tree',
  path: `${store}/${name}`,
  storePath: `${logical}/${name}`,
  hashPart: name.slice(0, 32),
});

async function codeOf(argument: string): Promise<string> {
  try {
    return `resolved to ${JSON.stringify(await resolve(argument))}`;
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    expect(error.message).toContain(argument);
    expect(error.message).not.toContain('\n');
    return error.code;
  }
}

describe('the two sides of a store', () => {
  it('has a physical side only where a link leads elsewhere', async () => {
    const plain = (storeDir: string) => ({ logical: storeDir, disk: storeDir, physical: null });
    expect(stores).toEqual({ logical, disk: logical, physical });
    expect(await storeDirs(physical)).toEqual(plain(physical));
    expect(await storeDirs('/no/such/store')).toEqual(plain('/no/such/store'));
  });

  it('of a chroot store lie below its root, and its logical paths mean what lies there', async () => {
    const root = physical.slice(0, -'/nix/store'.length);
    const chroot = await storeDirs('/nix/store', localStoreOf(root));
    expect(chroot).toEqual({ logical: '/nix/store', disk: physical, physical: null });
    for (const argument of [`/nix/store/${NAME}`, `${physical}/${NAME}`]) {
      expect(await resolveTarget(argument, chroot)).toMatchObject({
        path: `${physical}/${NAME}`,
        storePath: `/nix/store/${NAME}`,
      });
    }
  });
});

describe('an argument that leads into the store means the whole store path', () => {
  it.each<readonly [string, () => string, () => object]>([
    ['a store path', () => `${logical}/${NAME}`, () => inStore(logical)],
    ['with a slash behind it', () => `${logical}/${NAME}/`, () => inStore(logical)],
    ['with many slashes and dots', () => `${logical}/.//${NAME}/./bin/..//`, () => inStore(logical)],
    ['by way of another store path', () => `${logical}/${LINK_NAME}/../${NAME}`, () => inStore(logical)],
    ['a file in it', () => `${logical}/${NAME}/bin/tool`, () => inStore(logical)],
    ['a link in it', () => `${logical}/${NAME}/bin/alias`, () => inStore(logical)],
    ['the physical side', () => `${physical}/${NAME}`, () => inStore(physical)],
    ['a file on the physical side', () => `${physical}/${NAME}/bin/tool`, () => inStore(physical)],
    ['a link to it', () => link(`${logical}/${NAME}`), () => inStore(logical)],
    ['a link with a slash behind it', () => `${link(`${logical}/${NAME}`)}/`, () => inStore(logical)],
    ['a path behind a link', () => `${link(`${logical}/${NAME}`)}/bin/tool`, () => inStore(logical)],
    ['a link to its physical side', () => link(`${physical}/${NAME}`), () => inStore(physical)],
    ['a link to a file in it', () => link(`${logical}/${NAME}/bin/tool`), () => inStore(logical)],
    ['links to links', () => link(link(link(`${logical}/${NAME}/bin`))), () => inStore(logical)],
    [
      'a relative link',
      () => link(relative(join(folder, 'work'), `${logical}/${NAME}`)),
      () => inStore(logical),
    ],
    [
      'a relative link to a link beside it',
      () => (link(`${logical}/${NAME}`, 'result'), link('result')),
      () => inStore(logical),
    ],
    ['a path through a directory that is a link', () => `${link('.')}/result/bin`, () => inStore(logical)],
    [
      'a link with a space and letters of all kinds',
      () => link(`${logical}/${NAME}`, 'mein résultat 結果'),
      () => inStore(logical),
    ],
    [
      'a chain as long as systems allow',
      () => Array.from({ length: 40 }).reduce<string>((to) => link(to), `${logical}/${NAME}`),
      () => inStore(logical),
    ],
    [
      'a store path that is a link itself, which is not followed',
      () => link(`${logical}/${LINK_NAME}`),
      () => inStore(logical, LINK_NAME),
    ],
    ['the same from the physical side', () => `${physical}/${LINK_NAME}`, () => inStore(physical, LINK_NAME)],
  ])('%s', async (_what, argument, wanted) => {
    expect(await resolve(argument())).toEqual(wanted());
  });

  it('relative to the working directory', async () => {
    link(`${logical}/${NAME}`, 'here');
    expect(await resolve(relative(process.cwd(), join(folder, 'work/here/bin')))).toEqual(inStore(logical));
  });

  it('a link in the store that points to nothing is there', async () => {
    const name = `${HASH.replace('0', '2')}-dangling`;
    symlinkSync('/nowhere', join(physical, name));
    expect(await resolve(`${logical}/${name}`)).toEqual(inStore(logical, name));
  });

  it('a file named like a NAR is an output as any other', async () => {
    const name = `${HASH.replace('0', '3')}-x.nar`;
    writeFileSync(join(physical, name), SMALL_NAR);
    expect(await resolve(`${logical}/${name}`)).toEqual(inStore(logical, name));
  });
});

describe('an argument outside of any store', () => {
  const outside = (path: string): object => ({
    kind: 'tree',
    path: byteStringOfText(path),
    storePath: null,
    hashPart: null,
  });

  it('is what the links lead to', async () => {
    const path = join(folder, 'work/plain');
    mkdirSync(path);
    expect(await resolve(path)).toEqual(outside(path));
    expect(await resolve(`${path}//`)).toEqual(outside(path));
    expect(await resolve(link('plain'))).toEqual(outside(path));
    expect(await resolve(link(link('../work/./plain')))).toEqual(outside(path));
  });

  it('keeps spaces, letters of all kinds and line breaks of its name', async () => {
    for (const name of ['a name', 'größe 大きさ', 'line\nbreak', '-', '--home', ' ']) {
      const path = join(folder, 'work', name);
      writeFileSync(path, 'x');
      const { path: resolved } = await resolve(path);
      expect(displayText(resolved ?? '')).toBe(path);
    }
  });

  it('may have the hash part of a store path, as in the store of somewhere else', async () => {
    const path = join(folder, 'work', NAME);
    mkdirSync(path);
    expect(await resolve(path)).toEqual({ ...outside(path), hashPart: HASH });
  });

  it('is no store path where its name is none, although it lies in the store dir', async () => {
    for (const name of ['.links', 'x', `${HASH}x-name`, `${HASH}-`, `${HASH.replace('0', 'e')}-name`]) {
      const path = join(physical, name);
      mkdirSync(path);
      expect(await resolve(path)).toEqual(outside(path));
      expect(await resolve(join(logical, name))).toEqual(outside(path));
    }
    expect(await resolve(logical)).toEqual(outside(physical));
  });

  it('is no store path where a directory merely begins with the name of the store dir', async () => {
    const path = join(`${logical}-of-others`, NAME);
    mkdirSync(path, { recursive: true });
    expect(await resolve(path)).toEqual({ ...outside(path), hashPart: HASH });
  });

  it('is a NAR by its name or by its first bytes', async () => {
    const kindOf = async (name: string, content: string | Uint8Array): Promise<string> => {
      const path = join(folder, 'work', name);
      writeFileSync(path, content);
      return (await resolve(path)).kind;
    };
    expect(await kindOf('named.nar', 'text')).toBe('nar');
    for (const ending of ['xz', 'zst', 'bz2', 'br', 'lz4', 'lzip', 'gz']) {
      expect([ending, await kindOf(`named.nar.${ending}`, '')]).toEqual([ending, 'nar']);
    }
    expect(await kindOf('nameless', SMALL_NAR)).toBe('nar');
    expect(await kindOf('short', SMALL_NAR.subarray(0, 8))).toBe('tree');
    for (const length of [8, 16]) expect(await kindOf('zeros', Buffer.alloc(length))).toBe('tree');
    expect(await kindOf('nothing', '')).toBe('tree');
    expect(await kindOf('seminar', 'text')).toBe('tree');
    expect(await kindOf('a.nar.d.txt', 'text')).toBe('tree');
    mkdirSync(join(folder, 'work/directory.nar'));
    expect((await resolve(join(folder, 'work/directory.nar'))).kind).toBe('tree');
  });

  it('a NAR with the name of a store path tells no hash part: its name is not its own', async () => {
    const path = join(folder, 'work', `${HASH}-tool.nar`);
    writeFileSync(path, SMALL_NAR);
    expect(await resolve(path)).toMatchObject({ kind: 'nar', storePath: null, hashPart: null });
  });
});

describe('an argument that leads nowhere', () => {
  it('is missing', async () => {
    const plain = join(folder, 'work/just-a-file');
    writeFileSync(plain, 'x');
    for (const argument of [
      join(folder, 'nothing'),
      join(folder, 'nothing/below'),
      `${logical}/${HASH.replace('0', '9')}-gone`,
      `${logical}/${HASH.replace('0', '9')}-gone/bin/tool`,
      link('nowhere'),
      link(`${logical}/${HASH.replace('0', '9')}-gone`),
      `${plain}/below`,
      link('myself', 'myself'),
      (link('pong', 'ping'), link('ping', 'pong')),
      (link('deeper/x', 'deeper'), join(folder, 'work/deeper')),
    ]) {
      expect([argument, await codeOf(argument)]).toEqual([argument, 'TARGET_MISSING']);
    }
  });

  it('or is relative to a directory that was removed', async () => {
    const before = process.cwd();
    const removed = join(folder, 'removed');
    mkdirSync(removed);
    process.chdir(removed);
    rmSync(removed, { recursive: true });
    try {
      expect(await codeOf('result')).toBe('TARGET_MISSING');
      expect(await resolve(`${logical}/${NAME}`)).toEqual(inStore(logical));
    } finally {
      process.chdir(before);
    }
  });

  it('or may not be looked at', async () => {
    chmodSync(folder, 0o755);
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    writeFileSync(join(closed, 'file'), 'x');
    const secret = join(folder, 'work/secret');
    writeFileSync(secret, 'x', { mode: 0 });
    chmodSync(closed, 0);
    const codes = await asNobody(async () => [await codeOf(join(closed, 'file')), await codeOf(secret)]);
    expect(codes).toEqual(['TARGET_UNREADABLE', 'TARGET_UNREADABLE']);
    chmodSync(closed, 0o700);
  });

  it('or is longer than any path', async () => {
    expect(await codeOf(`/${'x'.repeat(300)}`)).toBe('TARGET_UNREADABLE');
    expect(await codeOf(`/tmp${'/x'.repeat(5000)}`)).toMatch(/^TARGET_/);
  });
});

it('whatever stands behind a store path in the store, it is that store path', async () => {
  const step = fc.constantFrom('bin', 'tool', '.', '', 'no such thing', 'ü');
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 6 }),
      fc.constantFrom('logical', 'physical'),
      async (steps, side) => {
        const store = side === 'logical' ? logical : physical;
        expect(await resolve([store, NAME, ...steps].join('/'))).toEqual(inStore(store));
      },
    ),
  );
});
