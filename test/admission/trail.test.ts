import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openServerTrail } from '../../src/admission/trail.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';
import type { AuditEvent } from '../../src/quarantine/trail/record.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'nar-scan-server-trail-'));
});
afterEach(() => rmSync(state, { recursive: true }));

const EVENT: AuditEvent = {
  event: 'denied',
  id: null,
  storePath: null,
  hashPart: '0'.repeat(32),
  narHash: null,
  reason: 'it phones home',
};

it('has its ledger open from the first record on, so that none of them writes it back, and closes it at the end', async () => {
  const log = join(state, 'ledger.sqlite-wal');
  const told: unknown[] = [];
  {
    await using trail = await openServerTrail({ state, policy: BUILT_IN_POLICY }, {}, (error) =>
      told.push(error),
    );
    expect(existsSync(log)).toBe(false);
    for (const actor of ['noamyr', 'alice']) {
      await trail.withTrail(actor, async (audit) => await audit.append(EVENT));
      expect(existsSync(log)).toBe(true);
    }
  }
  expect([existsSync(log), told]).toEqual([false, []]);
  // it has seen them: a trail that is shorter is not one that this server goes on with
  writeFileSync(join(state, 'audit.jsonl'), '');
  rmSync(join(state, 'audit.head'));
  const again = openServerTrail({ state, policy: BUILT_IN_POLICY }, {}, (error) => told.push(error));
  await expect(again).rejects.toMatchObject({ code: 'AUDIT_TRUNCATED' });
});

it('goes on without a ledger that cannot be opened, and says so', async () => {
  const told: unknown[] = [];
  writeFileSync(join(state, 'ledger.sqlite.lock'), 'no lock at all, but some other text'.repeat(100));
  await using trail = await openServerTrail({ state, policy: BUILT_IN_POLICY }, {}, (error) =>
    told.push(error),
  );
  await trail.withTrail('noamyr', async (audit) => await audit.append(EVENT));
  trail.decisions.refresh();
  expect(trail.decisions.denials()).toHaveLength(1);
  expect(told).toMatchObject([{ code: 'LEDGER_UNREADABLE' }]);
});
