import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerMemory } from '../../src/ledger/memory.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { SqliteLedger } from '../../src/ledger/sqlite/sqliteLedger.ts';
import { NarScanError } from '../../src/model/errors.ts';
import type { OutputFacts } from '../../src/model/facts.ts';
import type { MemoryQuery } from '../../src/scan/memory.ts';
import { cleanOutput } from '../report/madeFacts.ts';

const NAR_HASH = `sha256:${'1'.repeat(52)}`;
const OTHER_HASH = `sha256:${'2'.repeat(52)}`;
const STORE_PATH = '/nix/store/abcdfghijklmnpqrsvwxyz0123456789-x';

let folder: string;
let ledger: Ledger;
let path: string;
let warned: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-memory-'));
  path = join(folder, 'output');
  mkdirSync(path);
  ledger = openLedger();
  warned = [];
});

afterEach(async () => {
  await ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const openLedger = (): Ledger =>
  new SqliteLedger(join(folder, 'ledger.sqlite'), (error) => warned.push(error.code));

function memoryOf(parts: Partial<ConstructorParameters<typeof LedgerMemory>[0]> = {}): LedgerMemory {
  return new LedgerMemory({
    readers: [ledger],
    writer: ledger,
    contextOf: () => 'context',
    version: '0.1.0',
    warn: (error) => warned.push(error.code),
    ...parts,
  });
}

const query = (info: Partial<MemoryQuery['info']> = {}): MemoryQuery => ({
  path,
  info: {
    storePath: STORE_PATH,
    narHash: NAR_HASH,
    narSize: 1,
    registrationTime: 1,
    deriver: null,
    signatures: [],
    ca: null,
    references: [],
    ...info,
  },
  aliases: [],
});

const { findings, gaps, stats } = cleanOutput;
const factsOf = (narHash: string): OutputFacts & { narHash: string } => ({
  target: 'x',
  storePath: STORE_PATH,
  narHash,
  findings,
  gaps,
  stats,
});

/** Scans, as far as a memory sees it. */
async function scanned(memory = memoryOf(), asked = query(), narHash = NAR_HASH): Promise<void> {
  await memory.recall([asked]);
  memory.remember(asked, factsOf(narHash));
  await memory.close();
  ledger = openLedger();
}

async function isKnown(asked = query(), memory = memoryOf()): Promise<boolean> {
  return (await memory.recall([asked])).size === 1;
}

describe('the memory of store paths', () => {
  it('knows what was scanned and lies there unchanged', async () => {
    expect(await isKnown()).toBe(false);
    await scanned();
    const asked = query();
    const known = await memoryOf().recall([asked, query({ storePath: `${STORE_PATH}y` })]);
    expect(known).toEqual(new Map([[asked, { ...factsOf(NAR_HASH), target: '' }]]));
    expect(warned).toEqual([]);
  });

  it.each<readonly [string, () => void, Partial<MemoryQuery['info']>]>([
    ['was put in its place', () => replace(), {}],
    ['was touched', () => utimesSync(path, 1, 1), {}],
    ['got another entry', () => writeFileSync(join(path, 'more'), ''), {}],
    ['is gone', () => rmSync(path, { recursive: true }), {}],
    ['was registered anew', () => undefined, { registrationTime: 2 }],
    ['is registered with another hash', () => undefined, { narHash: OTHER_HASH }],
  ])('does not know what %s', async (_what, change, info) => {
    await scanned();
    expect(await isKnown()).toBe(true);
    change();
    expect(await isKnown(query(info))).toBe(false);
  });

  it('does not know what has other conditions', async () => {
    await scanned();
    expect(await isKnown(query(), memoryOf({ contextOf: () => 'another' }))).toBe(false);
  });

  it('keeps nothing that was changed while it was scanned', async () => {
    const memory = memoryOf();
    const asked = query();
    await memory.recall([asked]);
    writeFileSync(join(path, 'more'), '');
    memory.remember(asked, factsOf(NAR_HASH));
    await memory.close();
    ledger = openLedger();
    expect(await ledger.history(STORE_PATH)).toEqual([]);
  });

  it('does not take for known what is not as it was registered', async () => {
    await scanned(memoryOf(), query(), OTHER_HASH);
    expect(await ledger.history(STORE_PATH)).toHaveLength(1);
    expect(await isKnown()).toBe(false);
  });

  it('does not know what was changed between two questions in one', async () => {
    await scanned();
    const known = await memoryOf().recall([query({ registrationTime: 2 }), query()]);
    expect(known.size).toBe(0);
  });

  it('asks one ledger after the other, and each for what is not known yet', async () => {
    await scanned();
    const asked: number[] = [];
    const counting = (inner: Ledger): Ledger => ({
      narHashes: (paths) => {
        asked.push(paths.length);
        return inner.narHashes(paths);
      },
      facts: (keys) => inner.facts(keys),
      remember: (record) => inner.remember(record),
      history: (storePath) => inner.history(storePath),
      trailHead: () => inner.trailHead(),
      sawTrailHead: (head) => inner.sawTrailHead(head),
      close: () => inner.close(),
    });
    const memory = memoryOf({ readers: [counting(ledger), counting(ledger)] });
    expect((await memory.recall([query(), query({ storePath: `${STORE_PATH}y` })])).size).toBe(1);
    expect(asked).toEqual([2, 1]);
  });

  it('tells once that nothing can be kept', async () => {
    const full = new NarScanError('LEDGER_NOT_WRITTEN', 'the disk is full');
    const writer: Ledger = Object.assign(Object.create(ledger) as Ledger, {
      remember: () => Promise.reject(full),
      close: () => Promise.resolve(),
    });
    const memory = memoryOf({ writer });
    for (const asked of [query(), query()]) {
      await memory.recall([asked]);
      memory.remember(asked, factsOf(NAR_HASH));
    }
    await memory.close();
    ledger = openLedger();
    expect(warned).toEqual(['LEDGER_NOT_WRITTEN']);
  });
});

function replace(): void {
  const other = join(folder, 'other');
  mkdirSync(other);
  rmSync(path, { recursive: true });
  renameSync(other, path);
}
