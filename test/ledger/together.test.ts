import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { holdLock } from '../../src/ledger/lock.ts';
import { migrate } from '../../src/ledger/sqlite/schema.ts';

const OPEN = new URL('../../src/ledger/open.ts', import.meta.url).href;
const PROGRAM = `
  const { openLedger } = await import(${JSON.stringify(OPEN)});
  const ledger = openLedger({ NAR_SCAN_STATE: process.argv[1] }, () => undefined);
  process.stdout.write("open");
  ledger.close();
`;
/** Time for the other process to find that there is no ledger yet. */
const MEANWHILE_MS = 1500;

it('a ledger that another process makes and keeps open meanwhile is waited for no longer', async () => {
  const state = mkdtempSync(join(tmpdir(), 'nar-scan-together-'));
  const use = holdLock(join(state, 'ledger.sqlite.lock'), 'shared', 0);
  try {
    const program = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, state]);
    const [said, failed] = [text(program.stdout), text(program.stderr)];
    await pause(MEANWHILE_MS);
    using database = new DatabaseSync(join(state, 'ledger.sqlite'));
    migrate(database);
    expect(await failed).toBe('');
    expect(await said).toBe('open');
  } finally {
    use[Symbol.dispose]();
    rmSync(state, { recursive: true, force: true });
  }
}, 30_000);
