import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedger } from '../../src/ledger/open.ts';
import { AuditLog } from '../../src/quarantine/audit.ts';
import { openDecisions } from '../../src/quarantine/decisions.ts';
import { hashOfNar } from '../../src/quarantine/store/narFile.ts';
import { Quarantine } from '../../src/quarantine/store/quarantine.ts';
import type { AuditRecord } from '../../src/quarantine/trail/record.ts';
import { refusedAt } from '../support/refused.ts';

const ROUNDS = Number(process.env['NAR_SCAN_KILL_ROUNDS'] ?? 20);
const WRITERS = 8;
const LONGEST_ROUND_MILLISECONDS = 120;
const ROUND_MILLISECONDS = 4000;

/** What a writer told that it has done. */
interface Acknowledged {
  readonly event: string;
  /** Number of the record; 0 where it is not told. */
  readonly seq: number;
  readonly id: string;
}

let folder: string;
let state: string;
const writers: ChildProcess[] = [];
const acknowledged: Acknowledged[] = [];
const faults: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-kill-'));
  state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
});
afterAll(() => {
  for (const writer of writers) writer.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function startWriter(at: number): Promise<void> {
  const program = join(import.meta.dirname, 'writerProgram.ts');
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache'), NODE_NO_WARNINGS: '1' };
  const writer = spawn(process.execPath, [program, folder, `writer${at}`], { env });
  writers[at] = writer;
  writer.stderr.on('data', (text: Buffer) => faults.push(text.toString()));
  createInterface({ input: writer.stdout }).on('line', (line) => {
    const [event = '', seq = '', id = ''] = line.split(' ');
    acknowledged.push({ event, seq: Number(seq), id });
  });
  await once(writer, 'spawn');
}

/** Kills a writer, whatever it is doing. */
async function killWriter(at: number): Promise<void> {
  const writer = writers[at];
  if (writer === undefined || writer.exitCode !== null)
    throw new Error(`writer ${at} died: ${faults.join()}`);
  writer.kill('SIGKILL');
  await once(writer, 'close');
}

/** The trail, verified and whole. */
async function trailOf(): Promise<readonly AuditRecord[]> {
  const ledger = openLedger({ NAR_SCAN_STATE: state }, () => undefined);
  try {
    using log = await AuditLog.open(state, { actor: 'test', witness: ledger });
    await log.verify();
    await log.sync();
    return [...log.trail.records()].map(({ record }) => record);
  } finally {
    await ledger.close();
  }
}

function expectAll(told: readonly Acknowledged[], records: readonly AuditRecord[]): void {
  const kept = new Set(records.flatMap((record) => (record.event === 'quarantined' ? [record.id] : [])));
  for (const { event, seq, id } of told) {
    if (event === 'quarantined') expect(kept.has(id)).toBe(true);
    else expect(records[seq - 1]).toMatchObject({ event, id });
  }
}

describe('writers that are killed at any moment', () => {
  it(
    `lose no record that was acknowledged and leave no half NAR (${ROUNDS} rounds)`,
    async () => {
      for (let at = 0; at < WRITERS; at++) await startWriter(at);
      while (acknowledged.length < WRITERS) await pause(50);
      for (let round = 0; round < ROUNDS; round++) {
        const at = randomInt(WRITERS);
        await pause(randomInt(LONGEST_ROUND_MILLISECONDS));
        await killWriter(at);
        const told = acknowledged.slice();
        expectAll(told, await trailOf());
        await startWriter(at);
      }
      for (let at = 0; at < WRITERS; at++) await killWriter(at);
      expect(faults).toEqual([]);
      const records = await trailOf();
      expectAll(acknowledged, records);

      const purged = new Set(records.flatMap((record) => (record.event === 'purged' ? [record.id] : [])));
      for (const record of records) {
        if (record.event !== 'quarantined') continue;
        const nar = join(state, 'quarantine', record.id, 'output.nar.zst');
        if (existsSync(nar)) expect(await hashOfNar(nar)).toBe(record.narHash);
        else expect(purged.has(record.id)).toBe(true);
      }
      using decisions = await openDecisions({ NAR_SCAN_STATE: state }, null, '/nowhere');
      for (const record of records) {
        if (record.event !== 'released') continue;
        const { storePath, narHash, covers } = record;
        expect(decisions.release(storePath, narHash, covers, new Date())).not.toBeNull();
      }

      // the next writer takes away what the dead ones left
      using log = await AuditLog.open(state, { actor: 'test' });
      mkdirSync(join(folder, 'last'));
      writeFileSync(join(folder, 'last/file0'), 'last');
      const settings = { keep: true, bytes: 1 << 30, full: 'refuse' } as const;
      expect(await new Quarantine(log, settings).keep(refusedAt(join(folder, 'last'), 'last'))).toMatchObject(
        {
          refusal: null,
        },
      );
      expect(readdirSync(join(state, 'quarantine')).filter((name) => name.startsWith('.'))).toEqual([]);
    },
    60_000 + ROUNDS * ROUND_MILLISECONDS,
  );
});
