import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordWithheld } from '../../../src/guard/hook/records.ts';
import { showCommand } from '../../../src/guard/hook/lines.ts';
import type { PathStanding } from '../../../src/guard/standing.ts';
import { BUILT_IN_POLICY } from '../../../src/policy/policy.ts';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import { blockingIds } from '../../../src/report/blocking.ts';
import { loadDigest } from '../../../src/report/ids.ts';
import { refusedAt } from '../../support/refused.ts';

const digest = await loadDigest();
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'nar-scan-records-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A path that blocks, as the gate has it. */
function blocking(name: string, homes: readonly string[], change: Partial<PathStanding> = {}): PathStanding {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'file0'), name);
  const { storePath, facts, result, policy } = refusedAt(join(folder, name), name, homes);
  const standing = homes.length > 0 ? 'contaminated' : 'incomplete';
  const ids = blockingIds(result, policy, digest);
  const { narHash } = facts;
  const known = { storePath, narHash, facts, result, blocking: ids, denial: null, release: null };
  return { ...known, standing, ...change };
}

it('what is withheld is recorded with what was found in it, where anything was', async () => {
  const leaky = blocking('leaky', ['/home/noamyr']);
  // as where the run met an error that belongs to no path
  const bare = blocking('bare', []);
  const unscanned = blocking('unscanned', ['/home/noamyr'], { facts: null, result: null });
  const denied = blocking('denied', ['/home/noamyr'], { standing: 'denied' });
  const all = [leaky, bare, unscanned, denied];
  const rulings = all.map((known) => {
    const { storePath, narHash } = known;
    return { storePath, narHash, fate: 'withhold' as const, blockers: [known] };
  });
  using log = await AuditLog.open(folder, { actor: 'alice@host' });
  const ids = await recordWithheld(
    {
      name: 'x',
      derivation: null,
      rulings,
      closure: new Map(),
      errors: [],
      origin: { tool: { name: 'nar-scan', version: '0', kernel: 'none' }, rules: 'none' },
    },
    {
      log,
      settings: { keep: true, bytes: 1 << 20, full: 'refuse' },
      policy: BUILT_IN_POLICY.verdict,
      diskOf: (storePath) => join(folder, storePath.replace(/^.*-/, '')),
      warn: (error) => expect.unreachable(error.message),
    },
  );
  const records = [...log.trail.records()].map(({ record }) => record);
  expect(records.flatMap((record) => (record.event === 'quarantined' ? record.storePath : []))).toEqual([
    leaky.storePath,
  ]);
  expect(records.flatMap((record) => (record.event === 'withheld' ? record.storePath : []))).toEqual(
    all.map(({ storePath }) => storePath),
  );
  expect([...ids.keys()]).toEqual([leaky.storePath]);
  // what tells the way to a record knows which there are
  const shown = all.map((known) => showCommand(known, digest));
  expect(shown).toEqual([`nar-scan quarantine show ${ids.get(leaky.storePath)}`, null, null, null]);
});
