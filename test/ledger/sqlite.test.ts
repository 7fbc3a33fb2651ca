import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { ReadOnlyLedger } from '../../src/ledger/sqlite/readOnlyLedger.ts';
import { SqliteLedger } from '../../src/ledger/sqlite/sqliteLedger.ts';
import { LedgerTables } from '../../src/ledger/sqlite/tables.ts';
import type { NarScanError } from '../../src/model/errors.ts';
import { asNobody } from '../support/asNobody.ts';
import { ledgerContract } from './contract.ts';
import { recordOf } from './records.ts';

let folder: string;
let file: string;
let warned: NarScanError[];

const open = (): SqliteLedger => new SqliteLedger(file, (error) => warned.push(error));
const warnings = (): readonly string[] => warned.map(({ code }) => code);
const begin = (): Promise<void> => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-ledger-'));
  file = join(folder, 'ledger.sqlite');
  warned = [];
  return Promise.resolve();
};
const end = (): Promise<void> => Promise.resolve(rmSync(folder, { recursive: true, force: true }));

ledgerContract('SQLite', {
  begin,
  open: () => Promise.resolve(open()),
  writer: (prefix, count) => [join(import.meta.dirname, 'writer.ts'), file, prefix, String(count)],
  end,
});

/** Numbers of the records that are known. */
async function known(ledger: Ledger, count: number, prefix = 'a'): Promise<readonly number[]> {
  const records = Array.from({ length: count }, (_, number) => recordOf(prefix, number));
  const facts = await ledger.facts(records.map(({ key }) => key));
  return records.flatMap(({ key }, number) => (facts.has(key) ? [number] : []));
}

async function fill(count: number, prefix = 'a'): Promise<void> {
  const ledger = open();
  await Promise.all(Array.from({ length: count }, (_, number) => ledger.remember(recordOf(prefix, number))));
  await ledger.close();
}

const setAside = (): readonly string[] => readdirSync(folder).filter((name) => name.includes('.damaged-'));

describe('a damaged ledger in SQLite', () => {
  beforeEach(begin);
  afterEach(end);

  it.each([
    ['is no database', () => writeFileSync(file, 'no database at all'.repeat(1000))],
    ['has a damaged first page', () => overwrite(0, 4096)],
    ['has a damaged list of tables', () => overwrite(100, 3000)],
  ])('that %s is set aside when it is opened, and a new one begins', async (_what, damage) => {
    await fill(300);
    damage();
    const bytes = readFileSync(file);
    const ledger = open();
    expect(warnings()).toEqual(['LEDGER_DAMAGED']);
    expect(warned[0]?.message).toMatch(/ledger\.sqlite\.damaged-\d{8}T\d{6}Z'$/);
    expect(setAside()).toHaveLength(1);
    expect(readFileSync(join(folder, setAside()[0] ?? '')).equals(bytes)).toBe(true);
    expect(await known(ledger, 300)).toEqual([]);
    await ledger.remember(recordOf('a', 1));
    expect(await known(ledger, 300)).toEqual([1]);
    await ledger.close();
  });

  it('is set aside when the damage shows, in reading and in writing', async () => {
    for (const use of ['read', 'write'] as const) {
      await fill(600, use);
      const { size } = statSync(file);
      overwrite(4096, size - 4096);
      // the beginning, which is read to open it, is whole
      const ledger = open();
      expect(warnings()).toEqual([]);
      if (use === 'read') expect(await known(ledger, 600, use)).toEqual([]);
      await ledger.remember(recordOf('later', 1));
      expect(warnings()).toEqual(['LEDGER_DAMAGED']);
      expect(await known(ledger, 2, 'later')).toEqual([1]);
      await ledger.close();
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      warned = [];
    }
  });

  it('gives what it says itself or nothing, wherever a byte is another', async () => {
    await fill(40);
    const bytes = readFileSync(file);
    const expected = Array.from({ length: 40 }, (_, number) => recordOf('a', number));
    let unknown = 0;
    for (let at = 60; at < bytes.length; at += 611) {
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      writeFileSync(file, changed);
      let ledger: SqliteLedger;
      try {
        ledger = open();
      } catch (error) {
        expect((error as NarScanError).code).toMatch(/^LEDGER_/);
        continue;
      }
      const facts = await ledger.facts(expected.map(({ key }) => key));
      for (const { key, facts: was } of expected) {
        const found = facts.get(key);
        if (found === undefined) unknown++;
        else expect(found).toEqual({ ...was, target: '', narHash: key.narHash });
      }
      await ledger.close();
    }
    expect(unknown).toBeGreaterThan(0);
  });

  it('that others have open stays where it is, and nothing is remembered', async () => {
    await fill(600);
    const other = open();
    overwrite(0, 4096);
    const refused = caught(() => open());
    expect(refused?.code).toBe('LEDGER_DAMAGED');
    expect(setAside()).toEqual([]);
    await other.close();
    await open().close();
    expect(setAside()).toHaveLength(1);
  }, 30_000);

  it('that turns out so while others have it open is done without', async () => {
    await fill(600);
    const [one, other] = [open(), open()];
    overwrite(4096, statSync(file).size - 4096);
    expect(await known(one, 600)).toEqual([]);
    expect(warnings()).toEqual(['LEDGER_DAMAGED']);
    expect(setAside()).toEqual([]);
    expect(await known(one, 1)).toEqual([]);
    await expect(one.remember(recordOf('b', 1))).rejects.toMatchObject({ code: 'LEDGER_NOT_WRITTEN' });
    await one.close();
    await other.close();
  }, 30_000);

  it('that ends early is not taken for a whole one', async () => {
    await fill(600);
    truncateSync(file, 4096 * 3);
    const ledger = open();
    expect((await known(ledger, 600)).length).toBeLessThan(600);
    await ledger.remember(recordOf('a', 1));
    expect(await known(ledger, 2)).toEqual([1]);
    expect(warnings()).toEqual(['LEDGER_DAMAGED']);
    await ledger.close();
  });

  function overwrite(from: number, count: number): void {
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.alloc(count, 0x5a), 0, count, from);
    closeSync(fd);
  }
});

describe('a ledger in SQLite', () => {
  beforeEach(begin);
  afterEach(end);

  it('of a newer schema is refused in one line and not touched', async () => {
    await fill(3);
    const newer = new DatabaseSync(file);
    newer.exec('pragma user_version = 99');
    newer.close();
    const before = readFileSync(file);
    const refused = caught(() => open());
    expect([refused?.code, refused?.message]).toEqual([
      'LEDGER_VERSION',
      `the ledger '${file}' has schema 99; this version knows 1`,
    ]);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(setAside()).toEqual([]);
  });

  it('knows what processes wrote that ended without writing the log back', async () => {
    const writer = join(import.meta.dirname, 'writer.ts');
    for (const prefix of ['a', 'b', 'c']) {
      const { status, stderr } = spawnSync(process.execPath, [writer, file, prefix, '7', 'ends'], {
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
      expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    }
    chmodSync(folder, 0o555);
    await asNobody(async () => {
      const reader = new ReadOnlyLedger(file, (error) => warned.push(error));
      for (const prefix of ['a', 'b', 'c']) expect(await known(reader, 7, prefix)).toHaveLength(7);
      await reader.close();
    });
    chmodSync(folder, 0o755);
    const ledger = open();
    for (const prefix of ['a', 'b', 'c']) expect(await known(ledger, 7, prefix)).toHaveLength(7);
    await ledger.close();
    expect(readdirSync(folder).toSorted()).toEqual(['ledger.sqlite', 'ledger.sqlite.lock']);
    expect(warnings()).toEqual([]);
  });

  it('gets its log written back by one of them when that has grown', () => {
    const writer = join(import.meta.dirname, 'writer.ts');
    let most = 0;
    let isBack = false;
    for (let turn = 0; turn < 12 && !isBack; turn++) {
      const { status } = spawnSync(process.execPath, [writer, file, `t${turn}`, '21', 'ends']);
      expect(status).toBe(0);
      const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
      isBack = log === 0;
      most = Math.max(most, log);
    }
    expect([isBack, most > 0, most <= 512 * 1024]).toEqual([true, true, true]);
  });

  it('is made whole by many processes that all are the first', async () => {
    const program = `import { SqliteLedger } from ${JSON.stringify(join(import.meta.dirname, '../../src/ledger/sqlite/sqliteLedger.ts'))};
      await new SqliteLedger(${JSON.stringify(file)}, (error) => { throw error; }).close();`;
    const one = ['--input-type=module', '-e', program];
    const words = Array.from({ length: 8 }, () => `"$@" &`).join(' ');
    const { status, stderr } = spawnSync('sh', ['-c', `${words} wait`, 'sh', process.execPath, ...one], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    await fill(2);
    expect(warnings()).toEqual([]);
  });

  it('keeps to its size: what no path refers to goes first, and the oldest of it', async () => {
    const ledger = open();
    await ledger.close();
    const database = new DatabaseSync(file);
    const tables = new LedgerTables(database, { ledgerBytes: 300_000, ledgerScans: 100 });
    // facts that are no more than others, and no path has them any more
    const stale = Array.from({ length: 300 }, (_, number) => {
      const record = recordOf('old', number);
      return { ...record, at: number, path: { ...record.path, storePath: '/nix/store/x' } };
    });
    const fresh = Array.from({ length: 100 }, (_, number) => ({ ...recordOf('new', number), at: 0 }));
    tables.remember([...stale, ...fresh]);
    tables.prune();
    const left = (records: typeof stale) => tables.facts(records.map(({ key }) => key)).size;
    expect(left(fresh)).toBe(100);
    expect(left(stale)).toBeLessThan(300);
    const many = Array.from({ length: 2000 }, (_, number) => ({ ...recordOf('more', number), at: number }));
    tables.remember(many);
    tables.prune();
    const pages = database
      .prepare('select page_count - freelist_count as n from pragma_page_count, pragma_freelist_count')
      .get();
    expect(Number(pages?.['n']) * 4096).toBeLessThan(300_000);
    expect(left(many.slice(0, 100))).toBe(0);
    expect(left(many.slice(-20))).toBe(20);
    expect(database.prepare('select count(*) as n from scans').get()).toEqual({ n: 100 });
    database.close();
  });

  it('is read by those who may not write, and nothing is made beside it', async () => {
    await fill(20);
    chmodSync(folder, 0o555);
    await asNobody(async () => {
      const ledger = new ReadOnlyLedger(file, (error) => warned.push(error));
      expect(await known(ledger, 20)).toHaveLength(20);
      await expect(ledger.remember()).rejects.toMatchObject({ code: 'LEDGER_NOT_WRITTEN' });
      await ledger.close();
      expect(caught(() => open())?.code).toBe('LEDGER_UNREADABLE');
    });
    chmodSync(folder, 0o755);
    expect(readdirSync(folder).toSorted()).toEqual(['ledger.sqlite', 'ledger.sqlite.lock']);
  });

  it('that is only read is read while another writes', async () => {
    await fill(3);
    const writer = open();
    await writer.remember(recordOf('a', 7));
    const reader = new ReadOnlyLedger(file, (error) => warned.push(error));
    expect(await known(reader, 8)).toEqual([0, 1, 2, 7]);
    expect(warnings()).toEqual([]);
    await reader.close();
    await writer.close();
  });
});

function caught(act: () => unknown): NarScanError | null {
  try {
    act();
    return null;
  } catch (error) {
    return error as NarScanError;
  }
}
