import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../src/quarantine/audit.ts';
import { deniedText } from '../../src/quarantine/decisionText.ts';
import { openDecisions } from '../../src/quarantine/decisions.ts';
import {
  decisionOf,
  decisionsOn,
  denialOf,
  outputAt,
  outputNamed,
  refuseOthers,
  releaseOf,
} from '../../src/quarantine/judgement.ts';
import { type DecidedOn, onContent, onOutput, onPath } from '../../src/quarantine/lifting.ts';
import type { AuditEvent } from '../../src/quarantine/trail/record.ts';
import { asNobody } from '../support/asNobody.ts';
import { storePathNamed } from '../support/refused.ts';

const root = process.geteuid?.() === 0;
const PATH = storePathNamed('hello');
const OTHER = storePathNamed('world');
const HASH = `sha256:${'0'.repeat(52)}`;
const OTHER_HASH = `sha256:${'1'.repeat(52)}`;
const ids = (...numbers: readonly number[]) => numbers.map((number) => String(number).padStart(16, '0'));

let folder: string;
let own: string;
let system: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-decisions-'));
  chmodSync(folder, 0o755);
  own = join(folder, 'own');
  system = join(folder, 'system');
  mkdirSync(own, { mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const code = (wanted: string, message = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) });

async function write(directory: string, ...events: readonly AuditEvent[]): Promise<void> {
  using log = await AuditLog.open(directory, { actor: 'alice@host' });
  await log.append(...events);
}

function quarantined(id: string, blocking: readonly string[], narHash: string | null = HASH): AuditEvent {
  const why = { verdict: 'contaminated', rules: ['known-home'], gaps: [], homes: [] } as const;
  const lists = { ...why, rules: ['known-home' as const], gaps: [], homes: [] };
  return {
    event: 'quarantined',
    id,
    storePath: PATH,
    narHash,
    ...lists,
    blocking: [...blocking],
    kept: null,
    notKept: null,
  };
}

const released = (covers: readonly string[], expires: string | null = null): AuditEvent => ({
  event: 'released',
  id: null,
  storePath: PATH,
  narHash: HASH,
  covers: [...covers],
  reason: 'known',
  expires,
});

const denied = (hashPart: string | null, narHash: string | null): AuditEvent => ({
  event: 'denied',
  id: null,
  storePath: null,
  hashPart,
  narHash,
  reason: 'bad',
});

/** What is decided, as `denied`, `released` or nothing. */
async function decided(
  path = PATH,
  narHash = HASH,
  blocking: readonly string[] = [],
  now = new Date(),
): Promise<string> {
  using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
  if (decisions.denial(path, narHash) !== null) return 'denied';
  return decisions.release(path, narHash, blocking, now) === null ? 'nothing' : 'released';
}

describe('decisions that are open', () => {
  it('have another fingerprint whenever something was decided or taken back, and only then', async () => {
    using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
    const seen = [decisions.fingerprint()];
    const steps = [
      denied(null, HASH),
      released(ids(1)),
      { event: 'lifted', decision: 1, reason: 'x' },
      denied(null, HASH),
    ] as const;
    for (const event of steps) {
      await write(own, event);
      decisions.refresh();
      seen.push(decisions.fingerprint());
    }
    expect(new Set(seen).size).toBe(seen.length);
    await write(own, quarantined('0123456789abcdef', ids(1)));
    decisions.refresh();
    expect(decisions.fingerprint()).toBe(seen.at(-1));
  });

  it.skipIf(!root)('are those of now once they look again', async () => {
    mkdirSync(system, { mode: 0o755 });
    for (const state of [system, own]) await write(state, released(ids(1)));
    using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
    await write(own, denied(null, HASH));
    await write(system, denied(null, OTHER_HASH));
    expect(decisions.denial(PATH, OTHER_HASH)).toBeNull();
    decisions.refresh();
    for (const narHash of [HASH, OTHER_HASH]) {
      expect(decisions.denial(PATH, narHash)).toMatchObject({ reason: 'bad' });
    }
    appendFileSync(join(own, 'audit.jsonl'), '{}\n');
    expect(() => decisions.refresh()).toThrow(code('AUDIT_BROKEN'));
  });

  it.skipIf(!root)('are those, too, of a state that was not there when they were opened', async () => {
    rmSync(own, { recursive: true });
    using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
    decisions.refresh();
    mkdirSync(own, { mode: 0o700 });
    await write(own, denied(null, HASH));
    decisions.refresh();
    expect(decisions.denial(PATH, HASH)).toMatchObject({ reason: 'bad' });
    expect(decisions.denial(PATH, HASH)).not.toHaveProperty('trail');
    mkdirSync(system, { mode: 0o755 });
    await write(system, denied(null, OTHER_HASH));
    decisions.refresh();
    expect(decisions.denial(PATH, OTHER_HASH)).toMatchObject({ trail: join(system, 'audit.jsonl') });
    using later = await openDecisions({ NAR_SCAN_STATE: own }, null, join(folder, 'none'));
    later.refresh();
    // what anybody may have written is no decision
    mkdirSync(join(folder, 'none'), { mode: 0o755 });
    chmodSync(join(folder, 'none'), 0o777);
    expect(() => later.refresh()).toThrow(code('STATE_UNSAFE'));
  });
});

describe('a release', () => {
  it('covers what it names, of one content of one store path', async () => {
    await write(own, released(ids(1, 2)));
    expect(await decided(PATH, HASH, ids(1, 2))).toBe('released');
    expect(await decided(PATH, HASH, ids(2))).toBe('released');
    expect(await decided(PATH, HASH, ids(2, 3))).toBe('nothing');
    expect(await decided(OTHER, HASH, ids(1))).toBe('nothing');
    expect(await decided(PATH, OTHER_HASH, ids(1))).toBe('nothing');
  });

  it('covers exactly the subsets of what it names', async () => {
    await write(own, released(ids(0, 2, 4, 6)));
    using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(7), { maxLength: 8 }), (blocking) => {
        const release = decisions.release(PATH, HASH, ids(...blocking), new Date());
        expect(release !== null).toBe(blocking.length > 0 && blocking.every((number) => number % 2 === 0));
      }),
    );
  });

  it('may expire, however the clock jumps meanwhile', async () => {
    await write(own, released(ids(1), '2027-01-01T00:00:00.000Z'));
    expect(await decided(PATH, HASH, ids(1), new Date('2026-12-31T23:59:59Z'))).toBe('released');
    expect(await decided(PATH, HASH, ids(1), new Date('2027-01-01T00:00:00Z'))).toBe('nothing');
    expect(await decided(PATH, HASH, ids(1), new Date('1970-01-01T00:00:00Z'))).toBe('released');
  });

  it('is of what an output was quarantined for', async () => {
    const [id = '', unread = ''] = ids(10, 11);
    await write(own, quarantined(id, ids(1, 2)), quarantined(unread, ids(3), null));
    using log = await AuditLog.open(own, { actor: 'alice@host' });
    await log.sync();
    const expires = new Date('2027-01-01');
    expect(releaseOf(outputNamed(log, id).record, 'why', expires)).toMatchObject({
      covers: ids(1, 2),
      reason: 'why',
    });
    expect(() => releaseOf(outputNamed(log, unread).record, 'why', null)).toThrow(
      code('QUARANTINE_NOT_RELEASABLE'),
    );
  });
});

describe('a denial', () => {
  it('is of a hash part or a content, under whatever name, and beats every release', async () => {
    await write(own, released(ids(1)), denied(null, HASH));
    expect(await decided(PATH, HASH, ids(1))).toBe('denied');
    expect(await decided(OTHER, HASH)).toBe('denied');
    expect(await decided(OTHER, OTHER_HASH)).toBe('nothing');
    await write(own, denied(OTHER.slice(11, 43), null));
    expect(await decided(OTHER, OTHER_HASH)).toBe('denied');
    expect(await decided(`/elsewhere/store/${OTHER.slice(11, 43)}-renamed`, OTHER_HASH)).toBe('denied');
  });

  it('can be given by an id, a store path or a hash in any form', async () => {
    const [id = ''] = ids(10);
    await write(own, quarantined(id, ids(1)));
    using log = await AuditLog.open(own, { actor: 'alice@host' });
    await log.sync();
    const hashPart = PATH.slice(11, 43);
    expect(denialOf(log, id, 'x')).toMatchObject({ id, storePath: PATH, hashPart, narHash: HASH });
    expect(denialOf(log, PATH, 'x')).toMatchObject({ hashPart, narHash: null });
    expect(denialOf(log, HASH, 'x')).toMatchObject({ hashPart: null, narHash: HASH });
    expect(denialOf(log, `sha256:${'0'.repeat(64)}`, 'x')).toMatchObject({ narHash: HASH });
    expect(denialOf(log, `sha256-${'A'.repeat(43)}=`, 'x')).toMatchObject({ narHash: HASH });
    for (const none of ['', 'zz', '0000', 'f'.repeat(16), '/etc/passwd', 'sha256:0', 'sha256-0', '%']) {
      const unknown = /[/:]|-/.test(none) ? 'PATH_NOT_IN_STORE' : 'QUARANTINE_UNKNOWN';
      if (none !== '0000') expect(() => denialOf(log, none, 'x')).toThrow(code(unknown));
    }
  });

  it('can be lifted, once, by the number of its record', async () => {
    await write(own, denied(null, HASH));
    using log = await AuditLog.open(own, { actor: 'alice@host' });
    await log.sync();
    expect(() => decisionOf(log, 2)).toThrow(code('DECISION_UNKNOWN'));
    expect(decisionOf(log, 1)).toMatchObject({ sequence: 1, narHash: HASH });
    await log.append({ event: 'lifted', decision: 1, reason: 'an error' });
    expect(await decided()).toBe('nothing');
    expect(() => decisionOf(log, 1)).toThrow(code('DECISION_UNKNOWN', /record 1/));
    expect(log.trail.ask((index) => [index.liftOf(1), index.liftOf(2)])).toEqual([2, null]);
  });
});

describe('a store path', () => {
  it('is none of another name with the same hash part, which whoever sends paths may have had refused later', async () => {
    const [id = '', later = ''] = ids(10, 11);
    const another = { ...quarantined(later, ids(2), OTHER_HASH), storePath: `${PATH}-of-another-name` };
    await write(own, quarantined(id, ids(1)), another);
    using log = await AuditLog.open(own, { actor: 'alice@host' });
    await log.sync();
    expect(outputAt(log, PATH).record.id).toBe(id);
    expect(outputAt(log, `${PATH}-of-another-name`).record.id).toBe(later);
    expect(() => outputAt(log, `${PATH}-x`)).toThrow(code('QUARANTINE_UNKNOWN'));
  });

  it('must mean one content to be released, however many others there are, unless these are denied', async () => {
    const [id = '', later = ''] = ids(10, 11);
    await write(own, quarantined(id, ids(1)));
    const others = Array.from({ length: 1100 }, (_, at) => ({
      ...quarantined(ids(100 + at)[0] ?? '', ids(2), OTHER_HASH),
      storePath: `${PATH}-${at}`,
    }));
    await write(own, ...others, quarantined(later, ids(2), OTHER_HASH));
    using log = await AuditLog.open(own, { actor: 'alice@host' });
    await log.sync();
    const refuse = async (): Promise<void> => {
      using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
      refuseOthers(log, decisions, outputAt(log, PATH).record);
    };
    const several = code('QUARANTINE_AMBIGUOUS', new RegExp(`several contents.*${later}, ${id}`));
    await expect(refuse()).rejects.toThrow(several);
    // one that was released may be meant to be released anew
    await log.append(released(ids(1)));
    await expect(refuse()).rejects.toThrow(several);
    await log.append(denied(null, HASH));
    await refuse();
  });

  it('is what was quarantined of it last, with all that was decided on it', async () => {
    const [id = '', later = ''] = ids(10, 11);
    await write(own, quarantined(id, ids(1)), quarantined(later, ids(2), OTHER_HASH), released(ids(1)));
    await write(own, denied(PATH.slice(11, 43), null), denied(null, OTHER_HASH));
    using log = await AuditLog.open(own, { actor: 'alice@host' });
    await log.sync();
    expect(outputAt(log, PATH).record.id).toBe(later);
    expect(() => outputAt(log, OTHER)).toThrow(code('QUARANTINE_UNKNOWN', /not in quarantine/));
    const numbers = (isMeant: DecidedOn) => decisionsOn(log, isMeant).map(({ sequence }) => sequence);
    expect(numbers(onPath(PATH, null))).toEqual([4, 3]);
    expect(numbers(onPath(PATH, OTHER_HASH))).toEqual([4, 5, 3]);
    expect(numbers(onOutput(PATH, OTHER_HASH))).toEqual([4, 5]);
    expect(numbers(onContent(HASH))).toEqual([3]);
  });
});

describe('an id of an output in quarantine', () => {
  it('may be short where it means one only', async () => {
    await write(own, quarantined('aaaabbbb00000000', ids(1)), quarantined('aaaabbbc00000000', ids(1)));
    using log = await AuditLog.open(own, { actor: 'alice@host' });
    await log.sync();
    expect(outputNamed(log, 'aaaabbbb').record.id).toBe('aaaabbbb00000000');
    expect(() => outputNamed(log, 'aaaabbb')).toThrow(code('QUARANTINE_AMBIGUOUS', /several/));
    for (const none of ['aaa', 'aaaabbbd', 'AAAABBBB', 'aaaabbbb000000000', "' or 1"]) {
      expect(() => outputNamed(log, none)).toThrow(code('QUARANTINE_UNKNOWN', /no output/));
    }
  });
});

describe.skipIf(!root)('the decisions of the machine', () => {
  beforeEach(() => {
    mkdirSync(system, { mode: 0o755 });
    chownSync(own, 65_534, 65_534);
  });

  it('count for everybody, and nobody’s own release beats a denial', async () => {
    await write(system, denied(null, HASH), {
      ...released(ids(1)),
      storePath: OTHER,
      narHash: OTHER_HASH,
    } as AuditEvent);
    await asNobody(async () => {
      await write(own, released(ids(1)));
      expect(await decided(PATH, HASH, ids(1))).toBe('denied');
      expect(await decided(OTHER, OTHER_HASH, ids(1))).toBe('released');
      await write(own, denied(null, OTHER_HASH));
      expect(await decided(OTHER, OTHER_HASH, ids(1))).toBe('denied');
    });
  });

  it('are told with their trail: the number of a record means another one in one’s own', async () => {
    await write(system, denied(null, HASH));
    await asNobody(async () => {
      await write(own, denied(null, OTHER_HASH));
      using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
      expect(decisions.denials().map((denial) => deniedText(denial))).toEqual([
        `denied by alice@host (record 1 of ${system}/audit.jsonl): bad`,
        'denied by alice@host (record 1): bad',
      ]);
    });
  });

  it('are followed while they grow', async () => {
    await write(system, denied(null, HASH));
    expect(await asNobody(() => decided())).toBe('denied');
    await write(system, denied(null, OTHER_HASH));
    expect(await asNobody(() => decided(OTHER, OTHER_HASH))).toBe('denied');
  });

  it('are left out where this user may not read them', async () => {
    await write(system, denied(null, HASH));
    chmodSync(join(system, 'audit.jsonl'), 0o600);
    expect(await asNobody(() => decided())).toBe('nothing');
    chmodSync(join(system, 'audit.jsonl'), 0o644);
    chmodSync(system, 0o700);
    expect(await asNobody(() => decided())).toBe('nothing');
  });

  it('open nothing while they cannot be read, however often they are asked for', async () => {
    const opened = () => readdirSync('/proc/self/fd').length;
    // no fault of permissions, so nobody knows what was decided
    symlinkSync('audit.jsonl', join(system, 'audit.jsonl'));
    chmodSync(system, 0o700);
    await asNobody(async () => {
      using decisions = await openDecisions({ NAR_SCAN_STATE: own }, null, system);
      process.seteuid?.(0);
      chmodSync(system, 0o755);
      process.seteuid?.(65_534);
      const before = opened();
      for (let time = 0; time < 5; time++)
        expect(() => decisions.refresh()).toThrow(code('STATE_UNREADABLE'));
      expect(opened()).toBe(before);
    });
  });

  it('stop everybody where they do not verify, or others may change them', async () => {
    await write(system, denied(null, HASH));
    const trail = join(system, 'audit.jsonl');
    writeFileSync(trail, readFileSync(trail, 'utf8').replace('bad', 'not'));
    await asNobody(async () => {
      await expect(decided()).rejects.toEqual(code('AUDIT_BROKEN'));
    });
    await expect(decided()).rejects.toEqual(code('STATE_UNSAFE'));
  });
});

it('without any state nothing is decided', async () => {
  rmSync(own, { recursive: true });
  expect(await decided()).toBe('nothing');
});
