import { mkdtempSync, rmSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import type { AuditEvent } from '../../../src/quarantine/trail/record.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-trail-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const denied = (reason: string): AuditEvent => ({
  event: 'denied',
  id: null,
  storePath: null,
  hashPart: '0'.repeat(32),
  narHash: null,
  reason,
});

async function pages(log: AuditLog, count: number): Promise<readonly (readonly number[])[]> {
  const found: (readonly number[])[] = [];
  await log.sync();
  for (let before: number | null = null; ;) {
    const last = log.trail.lastRecords(before, count);
    if (last.length === 0) return found;
    found.push(last.map(({ record }) => record.seq));
    before = last.at(-1)?.offset ?? 0;
  }
}

it('gives the records of a trail page by page, the latest first', async () => {
  using log = await AuditLog.open(folder, { actor: 'alice@host' });
  expect(await pages(log, 3)).toEqual([]);
  // lines longer than what is read at once
  for (const size of [1, 4000, 2, 4050, 3, 10, 4096]) await log.append(denied('x'.repeat(size)));
  expect(await pages(log, 3)).toEqual([[7, 6, 5], [4, 3, 2], [1]]);
  expect(await pages(log, 7)).toEqual([[7, 6, 5, 4, 3, 2, 1]]);
  expect(await pages(log, 100)).toEqual([[7, 6, 5, 4, 3, 2, 1]]);
  expect(await pages(log, 1)).toEqual([[7], [6], [5], [4], [3], [2], [1]]);
});

it('gives whole records whatever offset is asked for, and none that was not acknowledged', async () => {
  using log = await AuditLog.open(folder, { actor: 'alice@host' });
  await log.append(denied('one'), denied('two'), denied('three'));
  appendFileSync(log.trail.file, '{"half":');
  await log.sync();
  const { offset } = log.trail.lastRecords(null, 1)[0] ?? { offset: 0 };
  for (const before of [offset, offset + 1, offset + 100]) {
    expect(log.trail.lastRecords(before, 2).map(({ record }) => record.seq)).toEqual([2, 1]);
  }
  for (const before of [0, 1, -5]) expect(log.trail.lastRecords(before, 2)).toEqual([]);
  expect(log.trail.lastRecords(Number.MAX_SAFE_INTEGER, 1).map(({ record }) => record.seq)).toEqual([3]);
});
