import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { byteStringOfText, fsPath } from '../../src/model/bytes.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { verdictOfOutput } from '../../src/policy/verdict.ts';
import { asNobody } from '../support/asNobody.ts';
import { needs } from '../support/programs.ts';
import { gapLines, HOME, leakLines, TreeScan } from '../support/treeScan.ts';

const LEAK = `prefix=${HOME}/x\n`;

let tree: TreeScan;
let folder: string;

beforeAll(() => {
  tree = new TreeScan();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-tree-'));
});

afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', folder]);
  rmSync(folder, { recursive: true, force: true });
});

function directory(name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Writes a file whose name is any bytes. */
function leakNamed(name: string): void {
  writeFileSync(fsPath(`${byteStringOfText(folder)}/${name}`), LEAK);
}

describe('what is scanned', () => {
  it('a tree: every file, link, and directory, and counts of them', () => {
    directory('a/b');
    leakNamed('a/b/file');
    leakNamed('top');
    symlinkSync(`${HOME}/x`, join(folder, 'a/link'));
    directory('home/noamyr');
    const facts = tree.scan(folder);
    expect(leakLines(facts)).toEqual([
      'a/b/file known-home bytes',
      'a/link known-home symlink',
      'home/noamyr known-home entry-name',
      'top known-home bytes',
    ]);
    expect(facts.stats).toMatchObject({ entries: 8, files: 2, bytes: 2 * LEAK.length });
  });

  it('a root that is a file or a link, as the output itself', () => {
    leakNamed('file');
    symlinkSync(`${HOME}/x`, join(folder, 'link'));
    expect(leakLines(tree.scan(join(folder, 'file')))).toEqual([' known-home bytes']);
    expect(leakLines(tree.scan(join(folder, 'link')))).toEqual([' known-home symlink']);
    expect(tree.scan(join(folder, 'file')).stats).toMatchObject({ entries: 1, files: 1 });
  });

  it('nothing behind a link', () => {
    const elsewhere = directory('elsewhere');
    leakNamed('elsewhere/file');
    directory('tree');
    symlinkSync(elsewhere, join(folder, 'tree/directory'));
    symlinkSync('../elsewhere/file', join(folder, 'tree/file'));
    symlinkSync('.', join(folder, 'tree/self'));
    const facts = tree.scan(join(folder, 'tree'));
    expect([leakLines(facts), gapLines(facts)]).toEqual([[], []]);
    expect(facts.stats).toMatchObject({ entries: 4, files: 0, bytes: 0 });
  });

  it('is the same in whatever order its pieces come', () => {
    for (let index = 0; index < 100; index++) leakNamed(`file-${index}`);
    for (let index = 0; index < 5; index++) {
      directory(`d${index}/e`);
      leakNamed(`d${index}/e/file`);
    }
    const seen: string[] = [];
    const facts = tree.scan(folder, ({ kind }) => seen.push(kind));
    expect(facts.findings.map(({ location }) => location.entry)).toEqual(
      facts.findings.map(({ location }) => location.entry).toSorted(),
    );
    expect(facts.findings).toHaveLength(105);
    expect(seen.filter((kind) => kind === 'files').length).toBeGreaterThan(5);
  });
});

describe('special files', () => {
  it.skipIf(!needs('mkfifo'))('a fifo and a socket are gaps, and neither is opened', async () => {
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const facts = tree.scan(folder);
    server.close();
    expect(gapLines(facts)).toEqual(['fifo special-file', 'socket special-file']);
    expect(facts.gaps.map(({ detail }) => detail)).toEqual([
      'a fifo was not opened',
      'a socket was not opened',
    ]);
    expect(facts.stats).toMatchObject({ entries: 3, files: 0 });
    expect(verdictOfOutput(facts, { strict: false })).toBe('incomplete');
  });

  it('a device is a gap, also as the root', () => {
    const facts = tree.scan('/dev/null');
    expect(facts.gaps.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'special-file: a device was not opened',
    ]);
  });

  it.skipIf(!needs('mkfifo'))('a file that became a fifo does not stop the scan', () => {
    writeFileSync(join(folder, 'file'), 'x');
    const facts = tree.scan(folder, ({ kind }) => {
      if (kind !== 'files') return;
      unlinkSync(join(folder, 'file'));
      execFileSync('mkfifo', [join(folder, 'file')]);
    });
    expect(gapLines(facts)).toEqual(['file special-file']);
  });

  it('a file that became a link is not followed', () => {
    writeFileSync(join(folder, 'file'), 'x');
    const facts = tree.scan(folder, ({ kind }) => {
      if (kind !== 'files') return;
      unlinkSync(join(folder, 'file'));
      symlinkSync('/etc/passwd', join(folder, 'file'));
    });
    expect(gapLines(facts)).toEqual(['file unreadable']);
  });
});

describe('what changes or refuses while it is walked', () => {
  it('a directory that disappeared is a gap', () => {
    directory('a/b');
    const facts = tree.scan(folder, (piece) => {
      if (piece.kind === 'directory' && piece.entry === 'a') renameSync(join(folder, 'a'), join(folder, 'z'));
    });
    expect(gapLines(facts)).toEqual(['a unreadable']);
    expect(facts.gaps[0]?.detail).toBe('ENOENT at scandir');
  });

  it('a file that disappeared is a gap', () => {
    leakNamed('file');
    const facts = tree.scan(folder, ({ kind }) => {
      if (kind === 'files') unlinkSync(join(folder, 'file'));
    });
    expect(gapLines(facts)).toEqual(['file unreadable']);
    expect(facts.stats.files).toBe(1);
  });

  it('a root that is not there is a gap', () => {
    expect(gapLines(tree.scan(join(folder, 'nothing')))).toEqual([' unreadable']);
  });

  it('what may not be read is a gap, and the rest is scanned', async () => {
    directory('closed');
    leakNamed('closed/file');
    leakNamed('open');
    leakNamed('secret');
    directory('listed');
    leakNamed('listed/file');
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'closed'), 0);
    chmodSync(join(folder, 'secret'), 0);
    chmodSync(join(folder, 'listed'), 0o444);
    const facts = await asNobody(() => tree.scan(folder));
    expect(gapLines(facts)).toEqual(['closed unreadable', 'listed/file unreadable', 'secret unreadable']);
    expect(leakLines(facts)).toEqual(['open known-home bytes']);
  });
});

describe('names', () => {
  it('of any bytes are kept exactly', () => {
    const names = [
      'caf\xe9',
      '\xff\xfe',
      '\xc3\xa9',
      'a\nb',
      '\x1b[31m',
      ' ',
      '\\',
      '-rf',
      '\x80'.repeat(255),
    ];
    for (const name of names) leakNamed(name);
    mkdirSync(fsPath(`${byteStringOfText(folder)}/d\xe9`));
    leakNamed('d\xe9/\xfe');
    const entries = tree.scan(folder).findings.map(({ location }) => location.entry);
    expect(entries).toEqual([...names, 'd\xe9/\xfe'].toSorted());
  });

  it('of link targets are bytes, too', () => {
    symlinkSync(fsPath(`${HOME}/caf\xe9`), fsPath(`${byteStringOfText(folder)}/l\xe9`));
    const { findings } = tree.scan(folder);
    expect(findings.map(({ location, evidence }) => [location.entry, evidence])).toEqual([
      ['l\xe9', `${HOME}/caf\xe9`],
    ]);
  });
});

describe('large trees', () => {
  it('directories as deep as paths go are scanned, and what lies deeper is a gap', () => {
    const deep = Array.from({ length: 1000 }, () => 'd').join('/');
    directory(deep);
    leakNamed(`${deep}/file`);
    const facts = tree.scan(folder);
    expect(facts.findings.map(({ location }) => location.entry)).toEqual([`${deep}/file`]);
    expect(facts.gaps).toEqual([]);
  });

  it('a path that is longer than the system takes is a gap', () => {
    // made from inside, step by step, as no path to its end can be said
    const step = 'd'.repeat(250);
    const before = process.cwd();
    process.chdir(folder);
    for (let count = 0; count < 20; count++) {
      mkdirSync(step);
      process.chdir(step);
    }
    process.chdir(before);
    const facts = tree.scan(folder);
    expect(facts.gaps.map(({ detail }) => detail)).toEqual(['ENAMETOOLONG at scandir']);
    expect(verdictOfOutput(facts, { strict: false })).toBe('incomplete');
    execFileSync('rm', ['-rf', join(folder, step)]);
  });

  it('more directories inside each other than the limit says is a gap', () => {
    directory('d/e');
    const facts = tree.scan(folder, (piece) => {
      // as if the walk had come this far down already
      if (piece.kind === 'directory') Object.assign(piece, { depth: LIMITS.treeDepth - 1 });
    });
    expect(gapLines(facts)).toEqual(['d/e limit-depth']);
  });

  it('100,000 entries in one directory are scanned', () => {
    execFileSync('sh', ['-c', 'seq -f f%06.0f 100000 | xargs touch'], { cwd: folder });
    leakNamed('f050000');
    const facts = tree.scan(folder);
    expect(facts.stats).toMatchObject({ entries: 100_001, files: 100_000, bytes: LEAK.length });
    expect(leakLines(facts)).toEqual(['f050000 known-home bytes']);
  });
});
