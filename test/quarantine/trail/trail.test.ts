import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TrailHead } from '../../../src/ledger/ledger.ts';
import { sqlite } from '../../../src/nix/sqlite.ts';
import { AuditLog, type TrailWitness } from '../../../src/quarantine/audit.ts';
import type { AuditEvent } from '../../../src/quarantine/trail/record.ts';
import { Trail } from '../../../src/quarantine/trail/trail.ts';
import { loadDigest } from '../../../src/report/ids.ts';

const HASH = `sha256:${'0'.repeat(52)}`;
const PART = '0'.repeat(32);
const digest = await loadDigest();

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-trail-'));
  file = join(folder, 'audit.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const code = (wanted: string, message = /./): Error =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) }) as Error;

const denied = (reason: string, hashPart: string | null = PART): AuditEvent => ({
  event: 'denied',
  id: null,
  storePath: null,
  hashPart,
  narHash: null,
  reason,
});

/** Appends one event after the other, and closes the trail. */
async function written(events: readonly AuditEvent[], witness: TrailWitness | null = null): Promise<void> {
  using log = await AuditLog.open(folder, { actor: 'alice@host', witness });
  for (const event of events) await log.append(event);
}

const three = () => written([denied('one'), denied('two'), denied('three')]);

/** As a process that is started now sees it. */
function opened<T>(act: (trail: Trail) => T, index: string | null = join(folder, 'audit.index')): T {
  using trail = new Trail(folder, index, digest);
  return act(trail);
}

const synced = (seen: TrailHead | null = null) => opened((trail) => trail.sync(seen).head.sequence);

/** Changes the text of the trail, in its place. */
function edit(change: (lines: string[]) => readonly string[]): void {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  writeFileSync(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

function remembering(): TrailWitness & { head: TrailHead | null } {
  return {
    head: null,
    async trailHead() {
      return this.head;
    },
    async sawTrailHead(head) {
      this.head = head;
    },
  };
}

describe('an audit trail', () => {
  it('is a chain of lines that other programs can verify', async () => {
    await three();
    let prev = '0'.repeat(64);
    for (const [at, line] of readFileSync(file, 'utf8').split('\n').slice(0, -1).entries()) {
      const record = JSON.parse(line) as Record<string, unknown>;
      expect(record).toMatchObject({ seq: at + 1, actor: 'alice@host', event: 'denied', prev });
      const body = line.replace(/,"hash":"[0-9a-f]{64}"\}$/, '}');
      prev = digest(Buffer.from(body));
      expect(record['hash']).toBe(prev);
    }
    expect(JSON.parse(readFileSync(join(folder, 'audit.head'), 'utf8'))).toEqual({ sequence: 3, hash: prev });
  });

  it('takes events together, with the witness knowing its end', async () => {
    const witness = remembering();
    using log = await AuditLog.open(folder, { actor: 'alice@host', witness });
    expect((await log.append(denied('one'), denied('two'))).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(witness.head?.sequence).toBe(2);
    expect(await log.append()).toEqual([]);
    expect(synced(witness.head)).toBe(2);
  });

  it('is acknowledged when all of it was synced, and keeps nobody waiting meanwhile', async () => {
    using log = await AuditLog.open(folder, { actor: 'alice@host' });
    await log.append(denied('one'));
    await using handle = await open(file);
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
    const sync = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'sync');
    sync.mockImplementation(async () => await isOver);
    let isKnown = false;
    const appended = log.append(denied('two')).then(() => (isKnown = true));
    try {
      await vi.waitFor(() => expect(sync).toHaveBeenCalled());
      // whoever reads meanwhile, in this process, too, has what was acknowledged
      expect(synced()).toBe(1);
      expect(isKnown).toBe(false);
    } finally {
      end();
      await appended;
    }
    // the head, the trail, and the directory that both lie in
    expect(sync).toHaveBeenCalledTimes(3);
    sync.mockRestore();
    expect(synced()).toBe(2);
  });

  it('knows any number of outputs, each once, by its last record', async () => {
    const output = (at: number): AuditEvent => ({
      event: 'quarantined',
      id: at.toString(16).padStart(16, '0'),
      storePath: `/nix/store/${at}`,
      narHash: null,
      verdict: 'incomplete',
      rules: [],
      gaps: ['encrypted'],
      homes: [],
      blocking: [],
      kept: null,
      notKept: null,
    });
    using log = await AuditLog.open(folder, { actor: 'alice@host' });
    await log.append(...Array.from({ length: 2500 }, (_, at) => output(at)), output(0));
    const listed = [...log.outputs(0)];
    expect(listed.map(({ storePath }) => storePath.slice(11)).slice(-2)).toEqual(['2499', '0']);
    expect(listed).toHaveLength(2500);
    expect([...log.outputs(Date.now() + 1000)]).toEqual([]);
  });

  it('is empty where there is none', () => {
    expect(synced()).toBe(0);
    expect(opened((trail) => trail.verify(null).sequence)).toBe(0);
  });

  it('keeps any text, and shows no control character when it is printed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }), async (reason) => {
        rmSync(folder, { recursive: true, force: true });
        folder = mkdtempSync(join(tmpdir(), 'nar-scan-trail-'));
        file = join(folder, 'audit.jsonl');
        await written([denied(reason)]);
        expect(readFileSync(file, 'utf8')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
        expect(opened((trail) => trail.ask((index) => index.denialsOf(PART, null)))[0]?.reason).toBe(
          reason.toWellFormed(),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a record that is none, or too long', async () => {
    await expect(written([denied('')])).rejects.toThrow();
    const covers = Array.from({ length: 600_000 }, (_, at) => at.toString(16).padStart(16, '0'));
    const release = {
      event: 'released',
      id: null,
      storePath: '/x',
      narHash: HASH,
      reason: 'x',
      expires: null,
    } as const;
    await expect(written([{ ...release, covers }])).rejects.toEqual(code('STATE_NOT_WRITTEN', /too long/));
    await written([{ ...release, covers: covers.slice(0, 200_000) }]);
    expect(synced()).toBe(1);
  });
});

describe('what somebody does to a trail is noticed, by readers and writers', () => {
  const notices = async (wanted: Error, seen: TrailHead | null = null) => {
    for (const index of [join(folder, 'audit.index'), null]) {
      expect(() => opened((trail) => trail.sync(seen), index)).toThrow(wanted);
    }
    expect(() => opened((trail) => trail.verify(seen))).toThrow(wanted);
    await expect(written([denied('four')])).rejects.toEqual(wanted);
  };

  it.each([
    [
      'an edit',
      (lines: string[]) => lines.map((line) => line.replace('two', 'owt')),
      /line 2: .*was changed/,
    ],
    ['a deletion', ([one = '', , three = '']: string[]) => [one, three], /line 2: .*does not follow/],
    [
      'a reordering',
      ([one = '', two = '', three = '']: string[]) => [one, three, two],
      /line 2: .*does not follow/,
    ],
    [
      'a line that is none',
      ([one = '', ...rest]: string[]) => [one, '{}', ...rest],
      /line 2: .*is no record/,
    ],
    ['an empty line', ([one = '', ...rest]: string[]) => [one, '', ...rest], /line 2: .*is no record/],
    ['a repetition', ([one = '', two = '', three = '']: string[]) => [one, two, three, three], /line 4/],
  ])('%s', async (_name, change, message) => {
    await three();
    edit(change);
    await notices(code('AUDIT_BROKEN', message));
  });

  it('any changed byte', async () => {
    await three();
    const bytes = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        writeFileSync(file, damaged);
        expect(() => opened((trail) => trail.verify(null))).toThrow(code('AUDIT_BROKEN'));
        expect(() => synced()).toThrow(code('AUDIT_BROKEN'));
      }),
      { numRuns: 100 },
    );
  });

  it('a truncation, by the head beside it', async () => {
    await three();
    edit((lines) => lines.slice(0, 2));
    await notices(code('AUDIT_TRUNCATED', /has 2 records; there were 3/));
  });

  it('a truncation with its head, by whoever else saw it', async () => {
    const witness = remembering();
    await written([denied('one'), denied('two')], witness);
    edit(([one = '']) => [one]);
    rmSync(join(folder, 'audit.head'));
    expect(() => synced(witness.head)).toThrow(code('AUDIT_TRUNCATED'));
    await expect(written([denied('three')], witness)).rejects.toEqual(code('AUDIT_TRUNCATED'));
  });

  it('a truncation with its head, by whoever has seen that it was there', async () => {
    await three();
    for (const left of [1, 0]) {
      const [trail, head] = [readFileSync(file), readFileSync(join(folder, 'audit.head'))];
      using reader = new Trail(folder, null, digest);
      expect(reader.sync(null).head.sequence).toBe(3);
      edit((lines) => lines.slice(0, left));
      rmSync(join(folder, 'audit.head'));
      if (left === 0) rmSync(file);
      expect(() => reader.sync(null)).toThrow(code('AUDIT_TRUNCATED', /there were 3/));
      expect(() => reader.verify(null)).toThrow(code('AUDIT_TRUNCATED'));
      writeFileSync(file, trail);
      writeFileSync(join(folder, 'audit.head'), head);
      expect(reader.sync(null).head.sequence).toBe(3);
    }
  });

  it('that it is gone', async () => {
    await three();
    renameSync(file, `${file}.old`);
    await notices(code('AUDIT_TRUNCATED', /has 0 records/));
  });

  it('another trail in its place, as long and whole', async () => {
    await three();
    const head = readFileSync(join(folder, 'audit.head'));
    rmSync(file);
    rmSync(join(folder, 'audit.head'));
    await written([denied('1'), denied('2'), denied('3'), denied('4')]);
    writeFileSync(join(folder, 'audit.head'), head);
    await notices(code('AUDIT_BROKEN', /line 3: .*acknowledged/));
  });

  it('a line that never ends', async () => {
    await three();
    appendFileSync(file, `${'x'.repeat(9 << 20)}\n`);
    await notices(code('AUDIT_BROKEN', /line 4/));
  });
});

describe('a torn last line', () => {
  it('counts for nothing, and the next writer takes it away', async () => {
    await three();
    appendFileSync(file, '{"seq":4,"at":"2026-');
    expect(synced()).toBe(3);
    expect(opened((trail) => trail.verify(null).sequence)).toBe(3);
    await written([denied('four')]);
    expect(opened((trail) => trail.verify(null).sequence)).toBe(4);
    expect(readFileSync(file, 'utf8')).toMatch(/"four".*\n$/);
  });

  it('may be torn anywhere', async () => {
    await three();
    const whole = readFileSync(file);
    rmSync(join(folder, 'audit.head'));
    const second = whole.indexOf('\n', whole.indexOf('\n') + 1) + 1;
    for (let size = second; size < whole.length; size += 7) {
      writeFileSync(file, whole);
      truncateSync(file, size);
      expect(synced()).toBe(2);
    }
  });
});

describe('the index of a trail', () => {
  const reasons = () =>
    opened((trail) => (trail.sync(null), trail.ask((index) => index.denialsOf(PART, null))[0]?.reason));

  it('is made again where it is gone, damaged, or of another trail', async () => {
    await three();
    const index = join(folder, 'audit.index');
    rmSync(index);
    expect(reasons()).toBe('three');
    writeFileSync(index, 'no database');
    expect(reasons()).toBe('three');
    const bytes = readFileSync(index);
    bytes.fill(0x55, 4096);
    writeFileSync(index, bytes);
    expect(reasons()).toBe('three');
    writeFileSync(index, '');
    expect(reasons()).toBe('three');
  });

  it.each([
    'delete from denials where seq = 3',
    "update denials set hash_part = 'x'",
    'insert into lifts values (3, 4)',
    'delete from denials',
    "update state set decisions = ''",
  ])('is made again where its decisions are not those of the trail: %s', async (change) => {
    await three();
    const { DatabaseSync } = sqlite();
    const index = new DatabaseSync(join(folder, 'audit.index'));
    index.exec(change);
    index.close();
    expect(reasons()).toBe('three');
  });

  it('is made again by whoever verifies the trail, while another has it open', async () => {
    await three();
    using reader = new Trail(folder, join(folder, 'audit.index'), digest);
    const { DatabaseSync } = sqlite();
    const index = new DatabaseSync(join(folder, 'audit.index'));
    using verifier = new Trail(folder, join(folder, 'audit.index'), digest);
    index.exec("delete from denials; update outputs set kept = 1; update state set decisions = ''");
    index.close();
    expect(verifier.verify(null).sequence).toBe(3);
    expect(reader.ask((of) => of.denials().map(({ reason }) => reason))).toEqual(['one', 'two', 'three']);
  });

  it('keeps the sum of its decisions through lifts and records that decide nothing', async () => {
    await three();
    await written([{ event: 'lifted', decision: 3, reason: 'no more' }]);
    await written([{ event: 'withheld', storePath: '/nix/store/x', narHash: null, because: 'so' }]);
    const inode = statSync(join(folder, 'audit.index')).ino;
    expect(reasons()).toBe('two');
    expect(statSync(join(folder, 'audit.index')).ino).toBe(inode);
  });

  it('follows what was written by somebody else', async () => {
    await three();
    using reader = new Trail(folder, null, digest);
    expect(reader.sync(null).head.sequence).toBe(3);
    await written([denied('four')]);
    expect(reader.sync(null).head.sequence).toBe(4);
    expect(reader.ask((index) => index.denialsOf(PART, null))[0]?.reason).toBe('four');
  });

  it('does without a file where it cannot have one', async () => {
    await three();
    expect(opened((trail) => trail.sync(null).head.sequence, '/nowhere/index')).toBe(3);
  });
});
