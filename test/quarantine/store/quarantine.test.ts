import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitForLock } from '../../../src/ledger/lock.ts';
import type { GateSettings } from '../../../src/policy/gate.ts';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import type { Refused } from '../../../src/quarantine/store/bundle.ts';
import { hashOfNar } from '../../../src/quarantine/store/narFile.ts';
import { KeptSizes } from '../../../src/quarantine/store/keptSizes.ts';
import { Quarantine } from '../../../src/quarantine/store/quarantine.ts';
import type { AuditRecord } from '../../../src/quarantine/trail/record.ts';
import { needs } from '../../support/programs.ts';
import { narOf } from '../../support/realNix.ts';
import { refusedAt } from '../../support/refused.ts';

const KEEP: GateSettings['quarantine'] = { keep: true, bytes: 1 << 30, full: 'refuse' };

const canMount = needs('mount', 'umount') && process.geteuid?.() === 0;

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-quarantine-'));
  state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const code = (wanted: string, message = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) });

/** A tree whose packed NAR takes about so many bytes. */
function tree(name: string, bytes = 1000): string {
  const path = join(folder, name);
  mkdirSync(join(path, 'bin'), { recursive: true });
  writeFileSync(join(path, 'bin/file0'), randomBytes(bytes));
  return path;
}

async function keep(refused: Refused, settings = KEEP) {
  using log = await AuditLog.open(state, { actor: 'alice@host' });
  return await new Quarantine(log, settings).keep(refused);
}

async function records(): Promise<readonly AuditRecord[]> {
  using log = await AuditLog.open(state, { actor: 'alice@host' });
  return [...log.trail.records()].map(({ record }) => record);
}

const events = async () => (await records()).map(({ event }) => event);
const files = (id: string) => readdirSync(join(state, 'quarantine', id)).toSorted();
const names = () => readdirSync(join(state, 'quarantine')).toSorted();

describe('an output that is refused', () => {
  it('is kept with what was found in it, for its user alone', async () => {
    const path = tree('a');
    const refused = refusedAt(path, 'hello');
    const { id, kept, refusal } = await keep(refused);
    expect(refusal).toBeNull();
    expect(files(id)).toEqual(['facts', 'info.json', 'output.nar.zst', 'report.json']);
    const directory = join(state, 'quarantine', id);
    const nar = join(directory, 'output.nar.zst');
    expect(kept).toBe(statSync(nar).size);
    expect(await hashOfNar(nar)).toBe(refused.facts.narHash);
    if (needs('nix-store')) expect(zstdDecompressSync(readFileSync(nar)).equals(narOf(path))).toBe(true);
    expect(JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8'))).toMatchObject({
      schema: 'nar-scan/report-v1',
      verdict: 'contaminated',
      outputs: [{ storePath: refused.storePath, findings: [{ rule: 'known-home' }] }],
    });
    expect(statSync(join(state, 'quarantine')).mode & 0o777).toBe(0o700);
    expect(await records()).toMatchObject([
      { event: 'quarantined', id, rules: ['known-home'], homes: ['/home/noamyr'], kept, notKept: null },
    ]);
  });

  it('is recorded once for the same findings, and again for others', async () => {
    const path = tree('a');
    const { id, kept } = await keep(refusedAt(path, 'hello'));
    expect(await keep(refusedAt(path, 'hello'))).toEqual({ id, kept, refusal: null });
    expect(await events()).toEqual(['quarantined']);
    const more = await keep(refusedAt(path, 'hello', ['/home/noamyr', '/home/alice']));
    expect(more.id).toBe(id);
    expect((await keep(refusedAt(path, 'world'))).id).not.toBe(id);
    expect(await records()).toMatchObject([
      { id, homes: ['/home/noamyr'] },
      { id, homes: ['/home/noamyr', '/home/alice'] },
      { event: 'quarantined' },
    ]);
    expect(names()).toHaveLength(2);
  });

  it('is recorded once by several at the same time', async () => {
    const refused = refusedAt(tree('a', 100_000), 'hello');
    const entries = await Promise.all([keep(refused), keep(refused), keep(refused)]);
    expect(new Set(entries.map(({ kept }) => kept)).size).toBe(1);
    expect(await events()).toEqual(['quarantined']);
    expect(names()).toEqual([entries[0]?.id]);
  });

  it('is recorded without its NAR where none is to be kept', async () => {
    const { id, kept, refusal } = await keep(refusedAt(tree('a'), 'hello'), { ...KEEP, keep: false });
    expect([kept, refusal]).toEqual([null, null]);
    expect(files(id)).toEqual(['facts', 'info.json', 'report.json']);
    // and is kept later, if so wanted
    expect((await keep(refusedAt(join(folder, 'a'), 'hello'))).kept).not.toBeNull();
    expect(await events()).toEqual(['quarantined', 'quarantined']);
  });

  it('is recorded, but not kept, where it is not what was scanned', async () => {
    const path = tree('a');
    const refused = refusedAt(path, 'hello');
    writeFileSync(join(path, 'bin/file0'), 'changed');
    const { id, kept, refusal } = await keep(refused);
    expect(kept).toBeNull();
    expect(refusal).toEqual(code('QUARANTINE_NOT_KEPT', /is not what was scanned/));
    expect(files(id)).toEqual(['facts', 'info.json', 'report.json']);
    expect(await records()).toMatchObject([{ kept: null, notKept: refusal?.message }]);
  });

  it('is recorded without its NAR where there is none to keep, and with it when it comes', async () => {
    const refused = refusedAt(tree('a'), 'hello');
    const without = await keep({ ...refused, nar: null });
    expect(without).toMatchObject({ kept: null, refusal: null });
    expect(files(without.id)).not.toContain('output.nar.zst');
    await keep({ ...refused, nar: null });
    expect(await events()).toEqual(['quarantined']);
    const { id, kept } = await keep(refused);
    expect(id).toBe(without.id);
    expect(kept).toBeGreaterThan(0);
    expect(files(id)).toContain('output.nar.zst');
    expect(await keep({ ...refused, nar: null })).toEqual({ id, kept, refusal: null });
    expect(await events()).toEqual(['quarantined', 'quarantined']);
  });

  it('is recorded, but not kept, where it is gone or has no NAR', async () => {
    const path = tree('a');
    const refused = refusedAt(path, 'hello');
    rmSync(path, { recursive: true });
    expect((await keep(refused)).refusal).toEqual(code('QUARANTINE_NOT_KEPT', /ENOENT/));
    const facts = { ...refused.facts, narHash: null };
    const unhashed = { ...refused, facts, result: { ...refused.result, narHash: null } };
    expect((await keep(unhashed)).refusal).toEqual(code('QUARANTINE_NOT_KEPT', /no NAR/));
    expect(await events()).toEqual(['quarantined', 'quarantined']);
  });
});

describe('a quarantine without room', () => {
  const small: GateSettings['quarantine'] = { ...KEEP, bytes: 30_000 };

  it('refuses what is new, and records it all the same', async () => {
    await keep(refusedAt(tree('a', 20_000), 'a'), small);
    const { id, kept, refusal } = await keep(refusedAt(tree('b', 20_000), 'b'), small);
    expect(kept).toBeNull();
    expect(refusal).toEqual(code('QUARANTINE_FULL'));
    expect(files(id)).toEqual(['facts', 'info.json', 'report.json']);
    expect(await records()).toMatchObject([{ notKept: null }, { kept: null, notKept: refusal?.message }]);
    // asked again, nothing is recorded again
    await keep(refusedAt(join(folder, 'b'), 'b'), small);
    expect(await events()).toHaveLength(2);
  });

  it('drops the oldest, if that is wanted, and records that', async () => {
    const dropping = { ...small, bytes: 50_000, full: 'drop-oldest' } as const;
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c'])
      ids.push((await keep(refusedAt(tree(name, 20_000), name), dropping)).id);
    expect(ids.map((id) => files(id).includes('output.nar.zst'))).toEqual([false, true, true]);
    expect(await events()).toEqual(['quarantined', 'quarantined', 'purged', 'quarantined']);
    // what was dropped stays away, what never fits is refused
    await keep(refusedAt(join(folder, 'a'), 'a'), dropping);
    expect(await events()).toHaveLength(4);
    const large = await keep(refusedAt(tree('d', 60_000), 'd'), dropping);
    expect(large.refusal).toEqual(code('QUARANTINE_FULL'));
    expect(files(ids[1] ?? '')).toContain('output.nar.zst');
  });

  it('drops what was found in the oldest where their NARs are not enough', async () => {
    const first = await keep(refusedAt(tree('a', 20_000), 'a'), { ...KEEP, keep: false });
    const bytes = (await new KeptSizes(join(state, 'quarantine')).used()) + 22_000;
    const dropping = { ...small, bytes, full: 'drop-oldest' } as const;
    const second = await keep(refusedAt(tree('b', 20_000), 'b'), dropping);
    expect(second.refusal).toBeNull();
    expect(names()).toEqual([second.id]);
    expect(await records()).toMatchObject([
      { id: first.id },
      { event: 'purged', id: first.id, bytes: bytes - 22_000 },
      { id: second.id, notKept: null },
    ]);
  });

  it('may lose what was found, and has it again when the output is refused again', async () => {
    const { id } = await keep(refusedAt(tree('a', 20_000), 'a'));
    {
      using log = await AuditLog.open(state, { actor: 'alice@host' });
      await log.sync();
      const quarantine = new Quarantine(log, KEEP);
      expect(await quarantine.purge([...log.outputs(0)], 'old', true)).toMatchObject([{ id }]);
      expect(await quarantine.purge([...log.outputs(0)], 'old', true)).toEqual([]);
    }
    expect(names()).toEqual([]);
    await keep(refusedAt(join(folder, 'a'), 'a'));
    expect(files(id)).toEqual(['facts', 'info.json', 'report.json']);
    expect(await events()).toEqual(['quarantined', 'purged']);
  });

  it('has room again when something was purged', async () => {
    const { id } = await keep(refusedAt(tree('a', 20_000), 'a'), small);
    using log = await AuditLog.open(state, { actor: 'alice@host' });
    await log.sync();
    expect(await new Quarantine(log, small).purge([...log.outputs(0)], 'old')).toMatchObject([{ id }]);
    expect(await new Quarantine(log, small).purge([...log.outputs(0)], 'old')).toEqual([]);
    expect((await keep(refusedAt(tree('b', 20_000), 'b'), small)).refusal).toBeNull();
  });
});

describe('what writers left who died', () => {
  const left = () => {
    mkdirSync(join(state, 'quarantine/.new-0123456789abcdef-0123456789abcdef'), { recursive: true });
    mkdirSync(join(state, 'quarantine/.newer'));
  };

  it('is taken away by the next one, and nothing else is', async () => {
    left();
    const { id } = await keep(refusedAt(tree('a'), 'hello'));
    expect(names()).toEqual(['.newer', id]);
  });

  it('stays while another writes', async () => {
    left();
    const other = await waitForLock(join(state, 'quarantine.lock'), 'shared');
    await keep(refusedAt(tree('a'), 'hello'));
    other[Symbol.dispose]();
    expect(names()).toHaveLength(3);
  });
});

describe('a state directory', () => {
  it.skipIf(!canMount)('that is full keeps no half NAR, and says so', async () => {
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', 'tmpfs', state]).status !== 0) return;
    try {
      const { id, kept, refusal } = await keep(refusedAt(tree('a', 600_000), 'hello'));
      expect(kept).toBeNull();
      expect(refusal).toEqual(code('QUARANTINE_NOT_KEPT', /ENOSPC/));
      expect(names()).toEqual([id]);
      expect(files(id)).not.toContain('output.nar.zst');
      writeFileSync(join(state, 'filler'), randomBytes(100_000));
      let filled = true;
      for (let at = 0; filled && at < 1000; at++) {
        try {
          writeFileSync(join(state, `filler${at}`), randomBytes(4096));
        } catch {
          filled = false;
        }
      }
      await expect(keep(refusedAt(tree('b'), 'world'))).rejects.toEqual(code('STATE_NOT_WRITTEN'));
      rmSync(join(state, 'filler'));
      expect(await events()).toEqual(['quarantined']);
      await keep(refusedAt(join(folder, 'b'), 'world'));
      expect(await events()).toEqual(['quarantined', 'quarantined']);
    } finally {
      spawnSync('umount', [state]);
    }
  });

  it('that takes no directory takes the record all the same', async () => {
    writeFileSync(join(state, 'quarantine'), 'no directory');
    const { kept, refusal } = await keep(refusedAt(tree('a'), 'hello'));
    expect(kept).toBeNull();
    expect(refusal).toEqual(code('STATE_NOT_WRITTEN', /ENOTDIR/));
    expect(await records()).toMatchObject([{ event: 'quarantined', kept: null, notKept: refusal?.message }]);
  });

  it.skipIf(!canMount)('leaves no half report where only a part of one fits', async () => {
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'tmpfs', state]).status !== 0) return;
    try {
      const homes = Array.from({ length: 400 }, (_, at) => `/home/user${at}`);
      const { id, refusal } = await keep(refusedAt(tree('a'), 'hello', homes));
      expect(refusal).toEqual(code('STATE_NOT_WRITTEN', /ENOSPC/));
      expect(names()).toEqual([]);
      expect(await records()).toMatchObject([{ id }]);
    } finally {
      spawnSync('umount', [state]);
    }
  });

  it('that is gone is an error', async () => {
    const refused = refusedAt(tree('a'), 'hello');
    rmSync(state, { recursive: true });
    await expect(keep(refused)).rejects.toEqual(code('STATE_NOT_WRITTEN'));
    expect(existsSync(state)).toBe(false);
  });
});
