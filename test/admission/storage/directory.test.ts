import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStorage } from '../../../src/admission/storage/open.ts';
import { asNobody } from '../../support/asNobody.ts';
import { bytesOf, storageContract } from './contract.ts';

let folder: string;
let root: string;
const open = () => openStorage(pathToFileURL(root).href, {});
const begin = () => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-storage-'));
  root = join(folder, 'deep', 'cache with % and space');
};
const end = () => rmSync(folder, { recursive: true, force: true });

storageContract('a directory', {
  begin: () => {
    begin();
    return open();
  },
  end: () => Promise.resolve(end()),
});

/** Whether a small file system can be mounted at `folder`. */
function mounted(): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', folder]).status === 0;
}

describe('a directory as a storage', () => {
  beforeEach(begin);
  afterEach(end);

  const file = (): string => join(folder, 'received');
  const unfinished = (): readonly string[] => readdirSync(join(root, '.unfinished'));

  it('has no second copy of a file in the same file system, and leaves nothing unfinished', async () => {
    const storage = await open();
    writeFileSync(file(), 'NAR');
    await storage.put('nar/a.nar', { file: file(), size: 3 }, '');
    await storage.put('nar/a.nar', { file: file(), size: 3 }, '');
    expect(statSync(join(root, 'nar/a.nar')).ino).toBe(statSync(file()).ino);
    expect(unfinished()).toEqual([]);
    await storage.check();
    expect(unfinished()).toEqual([]);
  });

  it('copies a file of another file system', async () => {
    const storage = await open();
    const elsewhere = mkdtempSync('/dev/shm/nar-scan-');
    try {
      writeFileSync(join(elsewhere, 'x'), 'NAR');
      await storage.put('nar/a.nar', { file: join(elsewhere, 'x'), size: 3 }, '');
      expect(readFileSync(join(root, 'nar/a.nar'), 'utf8')).toBe('NAR');
      expect(unfinished()).toEqual([]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('keeps what a reader has when the object is replaced', async () => {
    const storage = await open();
    await storage.put('x', { bytes: Buffer.alloc(1_000_000, 'a') }, '');
    const before = await storage.get('x');
    await storage.put('x', { bytes: Buffer.from('b') }, '');
    if (before === null) throw new Error('it is there');
    expect((await bytesOf(before.stream)).equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
  });

  it('takes nothing but files for objects', async () => {
    const storage = await open();
    mkdirSync(join(root, 'directory'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    for (const name of ['directory', 'pipe', 'pipe/x']) {
      expect(await storage.get(name)).toBeNull();
      expect(await storage.size(name)).toBeNull();
    }
  });

  it('sweeps what a server left that died, and nothing else', async () => {
    await open();
    const left = join(root, '.unfinished', 'left');
    writeFileSync(left, 'half');
    utimesSync(left, new Date(0), new Date(0));
    await open();
    // it was only just written, whatever its time says
    expect(unfinished()).toEqual(['left']);
  });

  it('says that it is full, at every write, and has all that was put before', async ({ skip }) => {
    if (!mounted()) skip('a small file system cannot be mounted');
    try {
      const storage = await open();
      await storage.put('small', { bytes: Buffer.from('x') }, '');
      const full = { code: 'STORAGE_FULL' };
      const large = Buffer.alloc(1_000_000);
      await expect(storage.put('nar/a.nar', { bytes: large }, '')).rejects.toMatchObject(full);
      const elsewhere = mkdtempSync(join(tmpdir(), 'nar-scan-'));
      writeFileSync(join(elsewhere, 'x'), large);
      await expect(
        storage.put('nar/a.nar', { file: join(elsewhere, 'x'), size: large.length }, ''),
      ).rejects.toMatchObject(full);
      rmSync(elsewhere, { recursive: true });
      expect(await storage.get('nar/a.nar')).toBeNull();
      expect(unfinished()).toEqual([]);
      writeFileSync(join(root, 'rest'), Buffer.alloc(40_000));
      for (let rest = 4; rest > 0; rest--) spawnSync('sh', ['-c', `cat /dev/zero >> '${root}/rest'`]);
      await expect(storage.check()).rejects.toMatchObject(full);
      expect(await storage.size('small')).toBe(1);
    } finally {
      spawnSync('umount', [folder]);
    }
  });

  it('says so when it may not be written to', async () => {
    const storage = await open();
    chmodSync(folder, 0o755);
    await asNobody(async () => {
      await expect(storage.check()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await expect(storage.put('x', { bytes: Buffer.from('x') }, '')).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        message: expect.stringContaining('EACCES'),
      });
    });
  });

  it.each([
    '/srv/cache',
    'file://host/srv',
    'file:///srv?x',
    'ftp://host/',
    'https://host/?token=secret',
    'http://',
  ])('is not named by %j, which is not repeated', async (url) => {
    await expect(openStorage(url, {})).rejects.toMatchObject({
      code: 'USAGE_BAD_VALUE',
      message: expect.not.stringContaining('secret'),
    });
  });
});
