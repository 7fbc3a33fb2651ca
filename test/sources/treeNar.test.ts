import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NarScanError } from '../../src/model/errors.ts';
import { TreeNar } from '../../src/sources/treeNar.ts';
import { asNobody } from '../support/asNobody.ts';
import { makeTree } from '../support/diskTree.ts';
import { anyTree } from '../support/narArbitrary.ts';
import { linesOf, outcomeOf } from '../support/narEvents.ts';
import { directory, file, nar, symlink, type NarTree } from '../support/narWriter.ts';
import { needs } from '../support/programs.ts';
import { narOf } from '../support/realNix.ts';

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'nar-scan-tree-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** All bytes, in reads of `length` bytes that begin where others ended. */
function bytesOf(path: string, length = 512 * 1024): Buffer {
  using source = new TreeNar(path);
  return rest(source, length);
}

function rest(source: TreeNar, length = 512 * 1024): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const memory = Buffer.alloc(length + 2, 0xee);
    const count = source.read(memory, 1, length);
    expect([memory[0], memory[length + 1]]).toEqual([0xee, 0xee]);
    if (count === 0) return Buffer.concat(parts);
    parts.push(memory.subarray(1, 1 + count));
  }
}

function refusal(act: () => unknown): NarScanError {
  try {
    act();
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    expect(error.message).not.toContain('\n');
    expect(error.code).toBe('TREE_NOT_SERIALISABLE');
    return error;
  }
  throw new Error('nothing was refused');
}

const SIZES = [0, 1, 7, 8, 9, 15, 16, 17, 1000, 300_000];
const ODD = [
  'a',
  'A',
  'a.',
  'a-b',
  ')',
  '(',
  'entry',
  '\xff',
  '\xc3\xa9',
  ' ',
  '\n',
  '-',
  '~nix~case~hack~1',
];
const MANY: NarTree = directory(
  ...[
    ...SIZES.map((size): [string, NarTree] => [`s${size}`, file(Buffer.alloc(size, 'x'), size % 2 === 1)]),
    ...ODD.map((name): [string, NarTree] => [name, directory([name, symlink(`../${name}`)])]),
    [
      'deep',
      Array.from({ length: 50 }).reduce<NarTree>((tree) => directory(['d', tree]), file('end')),
    ] as const,
    ['empty', directory()] as const,
  ].toSorted(([one], [other]) => (one < other ? -1 : 1)),
);

describe('the NAR of a tree on disk', () => {
  it('is the one of its entries, however it is read', () => {
    fc.assert(
      fc.property(anyTree, fc.integer({ min: 1, max: 300 }), (tree, length) => {
        const path = join(mkdtempSync(join(folder, 't-')), 'tree');
        makeTree(path, tree);
        const bytes = bytesOf(path, length);
        expect(bytes).toEqual(nar(tree));
        expect(outcomeOf(bytes)).toMatchObject({ error: null, lines: linesOf(tree) });
      }),
      { numRuns: 100 },
    );
  });

  it.skipIf(!needs('nix-store'))('is the one that Nix makes of it', () => {
    makeTree(join(folder, 'many'), MANY);
    expect(bytesOf(join(folder, 'many')).equals(narOf(join(folder, 'many')))).toBe(true);
    for (const real of ['/etc/alternatives', '/usr/share/perl5', '/usr/lib/python3/dist-packages']) {
      expect(bytesOf(real).equals(narOf(real)), real).toBe(true);
    }
  });

  it.skipIf(!needs('nix-store'))('is the one that Nix makes of any tree', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const path = join(mkdtempSync(join(folder, 't-')), 'tree');
        makeTree(path, tree);
        expect(bytesOf(path).equals(narOf(path))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('says executable where the owner may execute, whatever others may', () => {
    for (const [mode, executable] of [
      [0o744, true],
      [0o655, false],
      [0o511, true],
    ] as const) {
      const path = join(folder, `mode-${mode}`);
      writeFileSync(path, 'x');
      chmodSync(path, mode);
      expect(bytesOf(path)).toEqual(nar(file('x', executable)));
    }
  });

  it('holds every name of a file with several', () => {
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/a'), 'same');
    linkSync(join(folder, 'd/a'), join(folder, 'd/b'));
    expect(bytesOf(join(folder, 'd'))).toEqual(nar(directory(['a', file('same')], ['b', file('same')])));
  });
});

describe('a range of what was read', () => {
  it('is the contents that begin there, also of a file whose head the last read ended with', () => {
    makeTree(join(folder, 'many'), MANY);
    const whole = nar(MANY);
    const at = whole.indexOf(Buffer.alloc(300_000, 'x'));
    for (const first of [at - 100, at - 1, at, at + 1, at + 300_000]) {
      using source = new TreeNar(join(folder, 'many'));
      const memory = Buffer.alloc(first + 100);
      expect(source.read(memory, 0, first)).toBe(first);
      if (first <= at) source.read(memory, 0, 100);
      const range = source.range(at, 300_000);
      expect(range?.read(299_990, 10)?.toString()).toBe('xxxxxxxxxx');
      expect(source.range(at + 1, 300_000)).toBeNull();
      expect(source.range(at, 299_999)).toBeNull();
    }
  });

  it('gives nothing of another file that took its place', () => {
    writeFileSync(join(folder, 'f'), 'was');
    using source = new TreeNar(join(folder, 'f'));
    const whole = rest(source);
    const range = source.range(whole.indexOf('was'), 3);
    expect(range?.read(0, 3)?.toString()).toBe('was');
    writeFileSync(join(folder, 'g'), 'new');
    renameSync(join(folder, 'g'), join(folder, 'f'));
    using other = new TreeNar(join(folder, 'f'));
    rest(other);
    rmSync(join(folder, 'f'));
    expect(other.range(whole.indexOf('was'), 3)?.read(0, 3)).toBeNull();
  });
});

describe('a tree has no NAR', () => {
  it('where it is not there', () => {
    expect(refusal(() => bytesOf(join(folder, 'none'))).message).toContain('ENOENT');
  });

  it('where something in it is neither a file, a directory nor a link, and is not opened', async () => {
    mkdirSync(join(folder, 'd'));
    execFileSync('mkfifo', [join(folder, 'd/fifo')]);
    expect(refusal(() => bytesOf(join(folder, 'd'))).message).toContain("'fifo'");
    rmSync(join(folder, 'd/fifo'));
    const server = createServer().listen(join(folder, 'd/socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(refusal(() => bytesOf(join(folder, 'd'))).message).toContain("'socket'");
    server.close();
    expect(refusal(() => bytesOf('/dev/null')).message).toContain('neither a file');
  });

  it('where it is nested deeper than Nix reads', () => {
    const path = join(folder, ...Array.from({ length: 64 }, () => 'd'));
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'x'), 'x');
    expect(refusal(() => bytesOf(join(folder, 'd'))).message).toContain('deeper than 64');
  });

  it.each([
    ['grows', (path: string) => appendFileSync(path, 'x')],
    ['shrinks', (path: string) => truncateSync(path, 500)],
    ['is emptied', (path: string) => truncateSync(path, 0)],
  ])('where a file %s while it is read; and it stays so', (_what, change) => {
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/f'), Buffer.alloc(1000));
    using source = new TreeNar(join(folder, 'd'));
    source.read(Buffer.alloc(400), 0, 400);
    change(join(folder, 'd/f'));
    const first = refusal(() => rest(source));
    expect(first.message).toContain("'f': its size changed");
    expect(refusal(() => rest(source))).toBe(first);
  });

  it('where a directory is replaced while it is read', () => {
    mkdirSync(join(folder, 'd/e'), { recursive: true });
    writeFileSync(join(folder, 'd/e/f'), Buffer.alloc(1000));
    // as in a store, where all have one time
    utimesSync(join(folder, 'd/e'), 1, 1);
    using source = new TreeNar(join(folder, 'd'));
    source.read(Buffer.alloc(900), 0, 900);
    renameSync(join(folder, 'd/e'), join(folder, 'other'));
    symlinkSync('../other', join(folder, 'd/e'));
    lutimesSync(join(folder, 'd/e'), 1, 1);
    expect(refusal(() => rest(source)).message).toContain("'e': it changed");
  });

  it('where a link takes the place of a file', () => {
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/a'), Buffer.alloc(1000));
    writeFileSync(join(folder, 'd/b'), 'b');
    using source = new TreeNar(join(folder, 'd'));
    source.read(Buffer.alloc(400), 0, 400);
    rmSync(join(folder, 'd/b'));
    symlinkSync('/etc/hostname', join(folder, 'd/b'));
    expect(refusal(() => rest(source)).message).toContain('ELOOP');
  });

  it('where a file may not be read', async () => {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/f'), 'x');
    chmodSync(join(folder, 'd/f'), 0);
    const { message } = await asNobody(() => refusal(() => bytesOf(join(folder, 'd'))));
    expect(message).toContain("'f': EACCES");
  });
});
