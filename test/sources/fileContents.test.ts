import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { identityOf } from '../../src/sources/fileContents.ts';
import { asNobody } from '../support/asNobody.ts';
import { gapLines, HOME, leakLines, TreeScan } from '../support/treeScan.ts';

/** What is seen of the file system's calls, and what happens at a certain read. */
const disk = vi.hoisted(() => ({
  reads: 0,
  bytes: 0,
  open: 0,
  atRead: new Map<number, () => void>(),
  inode: null as ((real: number) => number) | null,
}));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  return {
    ...real,
    openSync: (...args: Parameters<typeof real.openSync>) => {
      const fd = real.openSync(...args);
      disk.open++;
      return fd;
    },
    closeSync: (fd: number) => {
      disk.open--;
      real.closeSync(fd);
    },
    fstatSync: (fd: number) => {
      const stats = real.fstatSync(fd);
      if (disk.inode !== null) stats.ino = disk.inode(stats.ino);
      return stats;
    },
    readSync: (fd: number, into: Uint8Array, at: number, length: number, from: number | null) => {
      disk.atRead.get(disk.reads++)?.();
      const count = real.readSync(fd, into, at, length, from);
      disk.bytes += count;
      return count;
    },
  };
});

const LEAK = `prefix=${HOME}/x\n`;
const CHUNK = LIMITS.chunkBytes;

let folder: string;
let tree: TreeScan;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-contents-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  tree = new TreeScan();
  disk.inode = null;
  calm();
});

function calm(): void {
  Object.assign(disk, { reads: 0, bytes: 0, open: 0 });
  disk.atRead.clear();
}

let count = 0;

function file(content: string | Uint8Array, name = `file-${count++}`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Text of a length, with a leak that ends there. */
const leakAtEnd = (length: number): Buffer => Buffer.from(LEAK.padStart(length, 'no leak in here\n'));

const read = (path: string) => tree.files.read(tree.inspection, path, path.slice(path.lastIndexOf('/') + 1));

describe('a file', () => {
  it('is read once and whole, whatever its length beside that of a chunk', () => {
    for (const length of [0, 1, LEAK.length, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]) {
      const path = file(length < LEAK.length ? Buffer.alloc(length) : leakAtEnd(length));
      calm();
      const { facts, bytes } = read(path);
      const leaks = facts.findings.map(({ offset }) => offset);
      const expected = length < LEAK.length ? [] : [length - LEAK.length + 'prefix='.length];
      expect([length, bytes, leaks, facts.gaps]).toEqual([length, length, expected, []]);
      expect([disk.bytes, disk.open]).toEqual([length, 0]);
    }
  });

  it('has its leaks found across every edge of two chunks', () => {
    for (let shift = 0; shift <= LEAK.length; shift++) {
      const path = file(Buffer.concat([leakAtEnd(CHUNK + shift), Buffer.alloc(100, '.')]), 'edge');
      expect([shift, read(path).facts.findings.length]).toEqual([shift, 1]);
    }
  });

  it('is closed whatever happens', async () => {
    const path = file(leakAtEnd(2 * CHUNK));
    for (const failing of [0, 1, 2]) {
      calm();
      disk.atRead.set(failing, () => {
        throw Object.assign(new Error('EIO, read'), { code: 'EIO', syscall: 'read' });
      });
      // what was found before counts
      if (failing < 2) expect(() => read(path)).toThrow('EIO');
      else expect(read(path).facts.gaps).toMatchObject([{ reason: 'unreadable', detail: 'EIO at read' }]);
      expect(disk.open).toBe(0);
    }
  });

  it('that cannot be opened throws what the system says', async () => {
    expect(() => read(join(folder, 'nothing'))).toThrow('ENOENT');
    const secret = file('x');
    rmSync(secret);
    writeFileSync(secret, 'x', { mode: 0 });
    await asNobody(() => expect(() => read(secret)).toThrow('EACCES'));
  });
});

describe('a stretch of a file', () => {
  const AROUND = Buffer.from(LEAK);
  const BETWEEN = LEAK.length + 3;
  const identity = (path: string): string => identityOf(statSync(path)) ?? '';
  const passed = (_bytes: number): boolean => false;
  /** A file with leaks right before and behind a content. */
  const surrounded = (content: Buffer): string =>
    file(Buffer.concat([AROUND, Buffer.alloc(3), content, Buffer.alloc(3), AROUND]));
  const stretch = (path: string, size: number, stop = passed, of = identity(path)) =>
    tree.files.readStretch(tree.inspection, { path, identity: of, offset: BETWEEN, size }, 'x', stop);

  it('has the facts of a file with its content, and no byte around it is read', () => {
    for (const length of [0, 1, LEAK.length, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]) {
      const content = length < LEAK.length ? Buffer.alloc(length) : leakAtEnd(length);
      const { facts, bytes } = read(file(content));
      const path = surrounded(content);
      calm();
      expect(stretch(path, length)).toEqual({ facts, bytes, held: null });
      expect([length, disk.bytes, disk.open]).toEqual([length, length, 0]);
    }
  });

  it('has its containers opened at its place', async () => {
    for (const level of [0, 9]) {
      const content = gzipSync(leakAtEnd(2 * CHUNK), { level });
      const path = surrounded(content);
      const found = stretch(path, content.length);
      const all = await tree.files.open(tree.inspection, found, 'x', new Budget(CONTAINER_LIMITS));
      const leaks = all.findings.map(({ container, offset }) => [container?.length, offset]);
      expect(leaks).toContainEqual([1, 2 * CHUNK - LEAK.length + 'prefix='.length]);
      expect([all.gaps, disk.open]).toEqual([[], 0]);
    }
  });

  it('of a file that is not the one it was, is a gap', () => {
    const content = leakAtEnd(2 * CHUNK);
    const path = surrounded(content);
    const before = identity(path);
    const of = (): unknown => {
      const { facts, bytes } = stretch(path, content.length, passed, before);
      return [facts.findings.length, facts.gaps.map(({ reason }) => reason), bytes, disk.open];
    };
    expect(of()).toEqual([1, [], content.length, 0]);
    utimesSync(path, 1, 1);
    expect(of()).toEqual([0, ['unreadable'], 0, 0]);
    renameSync(surrounded(content), path);
    expect(of()).toEqual([0, ['unreadable'], 0, 0]);
    rmSync(path);
    mkdirSync(path);
    expect(of()).toEqual([0, ['unreadable'], 0, 0]);
    rmSync(path, { recursive: true });
    expect(of).toThrow('ENOENT');
  });

  it('that shrinks while it is read is a gap, and keeps what was found before', () => {
    for (const [length, at] of [
      [CHUNK - 10, 0],
      [3 * CHUNK, 1],
      [3 * CHUNK, 2],
    ] as const) {
      const content = leakAtEnd(length);
      content.write(LEAK);
      const path = surrounded(content);
      calm();
      disk.atRead.set(at, () => truncateSync(path, BETWEEN + LEAK.length + at * CHUNK));
      const { facts, bytes } = stretch(path, length);
      const gaps = facts.gaps.map(({ reason, detail }) => `${reason}: ${detail}`);
      expect(gaps).toEqual([`unreadable: shrank from ${length} to ${bytes} bytes while it was read`]);
      expect([facts.findings.length, bytes, disk.open]).toEqual([1, LEAK.length + at * CHUNK, 0]);
    }
  });

  it('is told as it passes, and read no further where the run is ended', () => {
    const content = leakAtEnd(3 * CHUNK);
    const path = surrounded(content);
    const told: number[] = [];
    stretch(path, content.length, (bytes) => told.push(bytes) < 0);
    expect(told).toEqual([CHUNK, CHUNK, CHUNK]);
    calm();
    const { facts, bytes } = stretch(path, content.length, () => true);
    expect(facts.gaps.map(({ reason }) => reason)).toEqual(['limit-time']);
    expect([bytes, disk.bytes, disk.open]).toEqual([CHUNK, CHUNK, 0]);
  });
});

describe('a file that changes while it is read', () => {
  it.each([
    ['short', CHUNK - 10, 0],
    ['short, between two reads', CHUNK, 1],
    ['long, at its first chunk', 3 * CHUNK, 0],
    ['long, at its second chunk', 3 * CHUNK, 1],
    ['long, at its last chunk', 3 * CHUNK, 2],
  ])('and shrinks is a gap: %s', (_what, length, at) => {
    const path = file(leakAtEnd(length));
    disk.atRead.set(at, () => truncateSync(path, 100));
    const { facts, bytes } = read(path);
    if (bytes === length) {
      expect(facts.findings).toHaveLength(1);
      return;
    }
    expect(facts.gaps.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      `unreadable: shrank from ${length} to ${bytes} bytes while it was read`,
    ]);
  });

  it('and shrinks keeps what was found before', () => {
    const path = file(Buffer.concat([Buffer.from(LEAK), leakAtEnd(3 * CHUNK)]));
    disk.atRead.set(1, () => truncateSync(path, CHUNK));
    const { facts } = read(path);
    expect([facts.findings.length, facts.gaps.length]).toEqual([1, 1]);
  });

  it('and grows within a chunk is read to its new end', () => {
    const path = file('begin\n');
    disk.atRead.set(0, () => appendFileSync(path, LEAK));
    const { facts, bytes } = read(path);
    expect([facts.findings.length, facts.gaps, bytes]).toEqual([1, [], 6 + LEAK.length]);
  });

  it('and grows while its chunks are read is read to its new end', () => {
    const path = file(Buffer.alloc(2 * CHUNK, 'no leak\n'));
    disk.atRead.set(1, () => appendFileSync(path, leakAtEnd(CHUNK)));
    const { facts, bytes } = read(path);
    expect([facts.findings.length, facts.gaps, bytes]).toEqual([1, [], 3 * CHUNK]);
  });

  it.skipIf(!existsSync('/proc/self/status'))('and says it is empty is read all the same', () => {
    const { bytes, facts } = read('/proc/self/status');
    expect(bytes).toBeGreaterThan(100);
    expect(facts.gaps).toEqual([]);
  });
});

describe('entries that share an inode', () => {
  it('are read once, and each has the facts', () => {
    const path = file(leakAtEnd(5000), 'one.txt');
    linkSync(path, join(folder, 'two.txt'));
    const first = read(path);
    calm();
    const second = read(join(folder, 'two.txt'));
    expect(disk.reads).toBe(0);
    expect(second).toEqual(first);
    expect([second.facts.findings.length, second.bytes]).toEqual([1, 5000]);
    rmSync(path);
    rmSync(join(folder, 'two.txt'));
  });

  it('are told apart from another file of the same size and time', () => {
    const [clean, leaking] = [file(Buffer.alloc(LEAK.length, 'x')), file(LEAK)];
    for (const path of [clean, leaking]) linkSync(path, `${path}-twin`);
    expect([read(clean), read(leaking)].map(({ facts }) => facts.findings.length)).toEqual([0, 1]);
  });

  it('are read again where inode numbers are too large to be told apart', () => {
    // as overlays and network file systems give them: a number holds 53 bits of them
    disk.inode = (real) => 2 ** 62 + (real % 2);
    const [clean, leaking] = [file(Buffer.alloc(LEAK.length, 'x')), file(LEAK)];
    for (const path of [clean, leaking]) linkSync(path, `${path}-twin`);
    expect([read(clean), read(leaking)].map(({ facts }) => facts.findings.length)).toEqual([0, 1]);
    calm();
    read(clean);
    expect(disk.reads).toBeGreaterThan(0);
  });

  it('are read again under other needles', () => {
    const path = file(`path=/home/other/x\n`);
    linkSync(path, `${path}-twin`);
    expect(read(path).facts.findings.map(({ rule }) => rule)).toEqual(['foreign-home']);
    const other = new TreeScan({ homes: ['/home/other'] });
    expect(tree.files.read(other.inspection, path, 'x').facts.findings.map(({ rule }) => rule)).not.toEqual([
      'foreign-home',
    ]);
  });

  it('are read again when the file was changed', () => {
    const path = file('before\n');
    linkSync(path, `${path}-twin`);
    expect(read(path).facts.findings).toEqual([]);
    writeFileSync(path, LEAK);
    expect(read(`${path}-twin`).facts.findings).toHaveLength(1);
  });

  it('a fault while one of them is read is not remembered as what they hold', () => {
    const path = file(leakAtEnd(2 * CHUNK));
    linkSync(path, `${path}-twin`);
    disk.atRead.set(1, () => {
      throw Object.assign(new Error('EIO, read'), { code: 'EIO', syscall: 'read' });
    });
    expect(() => read(path)).toThrow('EIO');
    calm();
    expect(read(`${path}-twin`).facts.findings).toHaveLength(1);
  });

  it('are not clean where the one that was to be read later never was', async () => {
    const turns = { due: true, pass: async () => undefined };
    const paced = new TreeScan({}, 16, { turns, between: () => undefined });
    const path = file(leakAtEnd(9 * CHUNK), 'later.txt');
    linkSync(path, `${path}-twin.txt`);
    const readOf = (name: string) => paced.files.read(paced.inspection, name, name);
    const [first, second] = [readOf(path), readOf(`${path}-twin.txt`)];
    disk.atRead.set(3, () => {
      throw new RangeError('a fault of the program');
    });
    const open = (of: typeof first) =>
      paced.files.open(paced.inspection, of, 'x', new Budget(CONTAINER_LIMITS));
    await expect(open(first)).rejects.toThrow('a fault of the program');
    expect((await open(second)).gaps.map(({ reason }) => reason)).toEqual(['internal']);
    // and what the system refuses is a gap of both
    const again = new TreeScan({}, 16, { turns, between: () => undefined });
    calm();
    const shared = again.files.read(again.inspection, path, path);
    disk.atRead.set(3, () => {
      throw Object.assign(new Error('EIO, read'), { code: 'EIO', syscall: 'read' });
    });
    const facts = await again.files.open(again.inspection, shared, 'x', new Budget(CONTAINER_LIMITS));
    expect(facts.gaps.map(({ reason }) => reason)).toEqual(['unreadable']);
    expect(await again.files.open(again.inspection, shared, 'x', new Budget(CONTAINER_LIMITS))).toEqual(
      facts,
    );
    expect(disk.open).toBe(0);
  });

  it('every one has its own entry in the facts of a tree', () => {
    const inner = mkdtempSync(join(folder, 'tree-'));
    writeFileSync(join(inner, 'a'), LEAK);
    linkSync(join(inner, 'a'), join(inner, 'b'));
    linkSync(join(inner, 'a'), join(inner, 'c.sh'));
    const facts = tree.scan(inner);
    expect(leakLines(facts)).toEqual(['a', 'b', 'c.sh'].map((name) => `${name} known-home bytes`));
    expect(gapLines(facts)).toEqual([]);
    expect(facts.stats).toMatchObject({ files: 3, bytes: 3 * LEAK.length });
  });
});
