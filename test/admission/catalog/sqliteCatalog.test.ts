import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCatalog } from '../../../src/admission/catalog/sqliteCatalog.ts';
import { catalogContract } from './contract.ts';
import { hashPartNamed, publishedPath, storePathNamed } from './records.ts';

let folder: string;
let file: string;

const begin = (): Promise<void> => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-catalog-'));
  file = join(folder, 'catalog.sqlite');
  return Promise.resolve();
};
const end = (): Promise<void> => Promise.resolve(rmSync(folder, { recursive: true, force: true }));

catalogContract('SQLite', { begin, open: () => openCatalog(file), end });

function writer(
  prefix: string,
  count: number,
): { child: ChildProcess; acknowledged: () => readonly number[] } {
  const program = join(import.meta.dirname, 'writer.ts');
  const child = spawn(process.execPath, [program, file, prefix, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, acknowledged: () => output.split('\n').slice(0, -1).map(Number) };
}

async function isPublished(...names: readonly string[]): Promise<boolean> {
  const catalog = await openCatalog(file);
  try {
    return (await catalog.publishedAmong(names.map(storePathNamed))).size === names.length;
  } finally {
    await catalog.close();
  }
}

describe('a catalog in a file', () => {
  beforeEach(begin);
  afterEach(end);

  const filled = async (): Promise<void> => {
    const catalog = await openCatalog(file);
    for (let number = 0; number < 50; number++) await catalog.publish(publishedPath(`p${number}`));
    await catalog.close();
  };
  const refusal = async (): Promise<unknown> => {
    try {
      await (await openCatalog(file)).close();
      return null;
    } catch (error) {
      return error;
    }
  };

  it('has all that was acknowledged after kill -9', async () => {
    const { child, acknowledged } = writer('k', 100_000);
    while (acknowledged().length < 20 && child.exitCode === null) await pause(2);
    child.kill('SIGKILL');
    await once(child, 'close');
    const names = acknowledged().map((number) => `k${number}`);
    expect(names.length).toBeGreaterThanOrEqual(20);
    expect(await isPublished('shared', ...names)).toBe(true);
  });

  it('is made and written by several processes at once, which agree', async () => {
    const ended = ['a', 'b', 'c'].map((prefix) => once(writer(prefix, 40).child, 'close'));
    expect(await Promise.all(ended)).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
    const names = ['a', 'b', 'c'].flatMap((prefix) =>
      Array.from({ length: 40 }, (_, number) => `${prefix}${number}`),
    );
    expect(await isPublished('shared', ...names)).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(['catalog.sqlite', 'catalog.sqlite.lock']);
  });

  it('begins once more where it was killed before it was made', async () => {
    writeFileSync(`${file}.new`, 'half of it');
    await filled();
    expect(await isPublished('p0')).toBe(true);
  });

  it.each([
    ['is damaged', () => writeFileSync(file, 'no database at all, but text of some length\n'.repeat(100))],
    ['was emptied', () => truncateSync(file, 0)],
    [
      'is another database',
      () => {
        rmSync(file);
        new DatabaseSync(file).exec('create table t (x); pragma user_version = 1');
      },
    ],
    ['was taken away from its log', () => renameSync(file, `${file}-wal`)],
    [
      'lies there as a directory',
      () => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
  ])('is never begun anew in the place of one that %s', async (_, damage) => {
    await filled();
    damage();
    const size = existsSync(file) ? statSync(file).size : null;
    expect(await refusal()).toMatchObject({ code: 'CATALOG_UNREADABLE' });
    expect(existsSync(file) ? statSync(file).size : null).toBe(size);
  });

  it('says so when it is damaged while it is open', async () => {
    await filled();
    const catalog = await openCatalog(file);
    const { size } = statSync(file);
    writeFileSync(file, Buffer.alloc(size, 0x5a));
    await expect(catalog.published(hashPartNamed('p0'))).rejects.toMatchObject({
      code: 'CATALOG_UNREADABLE',
    });
    await expect(catalog.publish(publishedPath('new'))).rejects.toMatchObject({ code: 'CATALOG_UNREADABLE' });
    await catalog.close();
  });

  it('refuses what holds another than what was written', async () => {
    await filled();
    const database = new DatabaseSync(file);
    database.exec("update published set verdict = 'cleaner'");
    database.close();
    const catalog = await openCatalog(file);
    await expect(catalog.published(hashPartNamed('p0'))).rejects.toMatchObject({
      code: 'CATALOG_UNREADABLE',
    });
    await catalog.close();
  });

  it('knows of what an older version has published, and not that it could not be inspected', async () => {
    await filled();
    const database = new DatabaseSync(file);
    database.exec('alter table published drop column uninspected; pragma user_version = 1');
    database.close();
    const catalog = await openCatalog(file);
    expect(await catalog.published(hashPartNamed('p0'))).toEqual(publishedPath('p0'));
    await catalog.publish(publishedPath('new', { verdict: 'incomplete', isUninspected: true }));
    expect(await catalog.published(hashPartNamed('new'))).toMatchObject({ isUninspected: true });
    await catalog.close();
  });

  it('does not touch one of a newer version', async () => {
    await filled();
    const database = new DatabaseSync(file);
    database.exec('pragma user_version = 1000');
    database.close();
    expect(await refusal()).toMatchObject({ code: 'CATALOG_VERSION' });
  });

  it('rejects after it was closed', async () => {
    const catalog = await openCatalog(file);
    await catalog.close();
    await catalog.close();
    await expect(catalog.published('x')).rejects.toMatchObject({ code: 'CATALOG_UNREADABLE' });
    await expect(catalog.publish(publishedPath('a'))).rejects.toMatchObject({ code: 'CATALOG_NOT_WRITTEN' });
  });
});
