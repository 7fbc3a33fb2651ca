import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../../support/programs.ts';
import { contentsOf, readAll } from './support.ts';
import type { ReadArchive } from './support.ts';

const LEAK = 'see /home/alice/src/x.c for more\n'.repeat(50);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-zip-'));
  mkdirSync(join(folder, 'd'));
  writeFileSync(join(folder, 'd', 'leak.txt'), LEAK);
  writeFileSync(join(folder, 'empty'), '');
  writeFileSync(join(folder, 'big'), Buffer.alloc(2_000_000, LEAK));
  symlinkSync('/home/alice/target', join(folder, 'link'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string, ...args: readonly string[]): Buffer {
  return execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
}

function readFile(name: string): Promise<ReadArchive> {
  return readAll(readFileSync(join(folder, name)));
}

describe.skipIf(!needs('zip'))('zip', () => {
  test('writes files, directories and links', async () => {
    run('zip', '-qry', 'plain.zip', 'd', 'empty', 'big', 'link');
    const read = await readFile('plain.zip');
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ name, type, target, error }) => [name, type, target, error])).toEqual([
      ['d/', 'directory', '', null],
      ['d/leak.txt', 'file', '', null],
      ['empty', 'file', '', null],
      ['big', 'file', '', null],
      ['link', 'symlink', '/home/alice/target', null],
    ]);
    expect(contentsOf(read)[1]).toEqual(['d/leak.txt', LEAK]);
    expect(contentsOf(read)[3]![1]!.length).toBe(2_000_000);
  });

  test('writes to a pipe, with data descriptors, and ZIP64', async () => {
    writeFileSync(join(folder, 'piped.zip'), run('zip', '-qr', '-fd', '-', 'd', 'empty', 'big'));
    run('zip', '-qr', '-fz', 'wide.zip', 'd', 'empty', 'big');
    for (const name of ['piped.zip', 'wide.zip']) {
      const read = await readFile(name);
      expect(read.faults).toEqual([]);
      expect(contentsOf(read)[1]).toEqual(['d/leak.txt', LEAK]);
    }
  });

  test('appends, deletes and replaces members', async () => {
    run('zip', '-qr', 'changed.zip', 'd', 'empty');
    run('zip', '-q', 'changed.zip', 'big');
    run('zip', '-qd', 'changed.zip', 'empty');
    run('zip', '-q', 'changed.zip', 'd/leak.txt');
    const read = await readFile('changed.zip');
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ name }) => name).toSorted()).toEqual(['big', 'd/', 'd/leak.txt']);
  });

  test('packs with bzip2', async () => {
    run('zip', '-qr', '-Z', 'bzip2', 'bzip2.zip', 'd', 'big');
    const read = await readFile('bzip2.zip');
    expect(read.faults).toEqual([]);
    expect(contentsOf(read)[1]).toEqual(['d/leak.txt', LEAK]);
  });

  test('encrypts', async () => {
    run('zip', '-qr', '-P', 'secret', 'secret.zip', 'd');
    const read = await readFile('secret.zip');
    expect(read.faults).toEqual(['encrypted: the member is encrypted']);
    expect(contentsOf(read)).toEqual([
      ['d/', null],
      ['d/leak.txt', null],
    ]);
  });

  test('splits an archive into volumes', async () => {
    writeFileSync(
      join(folder, 'noise'),
      Buffer.from(Array.from({ length: 150_000 }, (_, k) => (k * k * 40_503) >>> 9)),
    );
    run('zip', '-q', '-s', '64k', 'split.zip', 'noise', 'd/leak.txt');
    expect((await readFile('split.zip')).faults[0]).toBe('unsupported: one of several volumes');
  });

  test('leaves what stands before an archive, with and without mending offsets', async () => {
    run('zip', '-qr', 'tail.zip', 'd');
    const script = Buffer.concat([
      Buffer.from('#!/bin/sh\nexec unzip "$0"\n'),
      readFileSync(join(folder, 'tail.zip')),
    ]);
    writeFileSync(join(folder, 'relative.sh'), script);
    writeFileSync(join(folder, 'absolute.zip'), script);
    run('zip', '-qA', 'absolute.zip');
    for (const name of ['relative.sh', 'absolute.zip']) {
      const read = await readFile(name);
      expect(read.faults).toEqual([]);
      expect(contentsOf(read)[1]).toEqual(['d/leak.txt', LEAK]);
    }
  });
});

describe.skipIf(!needs('python3'))("Python's zipfile", () => {
  test.each(['STORED', 'DEFLATED', 'BZIP2', 'LZMA'])('packs: %s', async (method) => {
    const name = `${method}.zip`;
    const program = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_${method}) as archive:
    archive.write('d/leak.txt')
    archive.write('big')
    archive.writestr('empty', b'')
    with archive.open('streamed', 'w', force_zip64=True) as member: member.write(b'x' * 100)
`;
    run('python3', '-c', program, name);
    const read = await readFile(name);
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ name: member, error, content }) => [member, error, content?.length])).toEqual([
      ['d/leak.txt', null, LEAK.length],
      ['big', null, 2_000_000],
      ['empty', null, 0],
      ['streamed', null, 100],
    ]);
    expect(contentsOf(read)[0]).toEqual(['d/leak.txt', LEAK]);
  });

  test('writes zipapps, and to pipes', async () => {
    writeFileSync(join(folder, 'd', '__main__.py'), 'print("hello")\n');
    run('python3', '-m', 'zipapp', 'd', '-p', '/usr/bin/env python3', '-o', 'app.pyz');
    const piped = `
import sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED) as archive: archive.write('d/leak.txt')
`;
    writeFileSync(join(folder, 'piped.pyz'), run('python3', '-c', piped));
    for (const name of ['app.pyz', 'piped.pyz']) {
      const read = await readFile(name);
      expect(read.faults).toEqual([]);
      expect(contentsOf(read).find(([member]) => member.endsWith('leak.txt'))?.[1]).toBe(LEAK);
    }
  });
});

describe.skipIf(!needs('jar'))('jar', () => {
  test('writes jars', async () => {
    run('jar', 'cf', 'x.jar', 'd', 'big');
    run('jar', 'c0f', 'stored.jar', 'd');
    for (const name of ['x.jar', 'stored.jar']) {
      const read = await readFile(name);
      expect(read.faults).toEqual([]);
      expect(read.members.every(({ error }) => error === null)).toBe(true);
      expect(contentsOf(read).find(([member]) => member === 'd/leak.txt')?.[1]).toBe(LEAK);
    }
  });
});
