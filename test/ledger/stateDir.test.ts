import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  stateDirForReading,
  stateDirForWriting,
  stateDirOf,
  systemStateDir,
} from '../../src/ledger/stateDir.ts';
import { asNobody } from '../support/asNobody.ts';

const root = process.geteuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const code = (wanted: string, message = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) });

describe('the state directory', () => {
  it('is where NAR_SCAN_STATE says, else root’s own, else below the user’s', async () => {
    expect(stateDirOf({ NAR_SCAN_STATE: '/srv/state/', HOME: '/home/alice' })).toBe('/srv/state');
    if (root) expect(stateDirOf({ HOME: '/home/alice' })).toBe('/var/lib/nar-scan');
    const of = (environment: NodeJS.ProcessEnv) => asNobody(() => stateDirOf(environment));
    expect(await of({ HOME: '/home/alice' })).toBe('/home/alice/.local/state/nar-scan');
    expect(await of({ HOME: '/home/alice', XDG_STATE_HOME: '/x' })).toBe('/x/nar-scan');
    expect(await of({ HOME: '/home/alice', XDG_STATE_HOME: 'x' })).toBe('/home/alice/.local/state/nar-scan');
  });

  it('is found by the passwd database where HOME is empty', async () => {
    const { homedir } = await asNobody(() => userInfo());
    expect(await asNobody(() => stateDirOf({ HOME: '' }))).toBe(`${homedir}/.local/state/nar-scan`);
  });

  it.skipIf(!root)('is an error for a user without any home', () => {
    process.seteuid?.(54_321);
    try {
      expect(() => stateDirOf({})).toThrow(code('STATE_UNKNOWN', /user 54321 has no home/));
    } finally {
      process.seteuid?.(0);
    }
  });

  it('must be absolute', () => {
    expect(() => stateDirOf({ NAR_SCAN_STATE: 'state' })).toThrow(code('STATE_UNKNOWN', /'state'/));
  });

  it('is made for its user alone when it is written, with all above it', () => {
    const NAR_SCAN_STATE = join(folder, 'a/b/state');
    expect(stateDirForReading({ NAR_SCAN_STATE })).toBeNull();
    expect(stateDirForWriting({ NAR_SCAN_STATE })).toBe(NAR_SCAN_STATE);
    expect(statSync(NAR_SCAN_STATE).mode & 0o777).toBe(0o700);
    expect(stateDirForReading({ NAR_SCAN_STATE })).toBe(NAR_SCAN_STATE);
  });

  it.skipIf(process.platform !== 'linux')('cannot be made where the system makes no directories', () => {
    for (const NAR_SCAN_STATE of ['/proc/x', '/proc/x/y/z', '/proc/self/x/y']) {
      const refused = code('STATE_NOT_WRITTEN', /^'\/proc\/.*' cannot be written: ENOENT: [^\n]*$/);
      expect(() => stateDirForWriting({ NAR_SCAN_STATE })).toThrow(refused);
    }
  });

  it('cannot be made below a file', () => {
    writeFileSync(join(folder, 'file'), '');
    const NAR_SCAN_STATE = join(folder, 'file/state');
    expect(() => stateDirForWriting({ NAR_SCAN_STATE })).toThrow(code('STATE_NOT_WRITTEN', /ENOTDIR/));
  });

  it('is refused where others may write to it or to what it lies in', () => {
    const NAR_SCAN_STATE = join(folder, 'open/state');
    stateDirForWriting({ NAR_SCAN_STATE });
    chmodSync(NAR_SCAN_STATE, 0o770);
    expect(() => stateDirForReading({ NAR_SCAN_STATE })).toThrow(code('STATE_UNSAFE', /others may write/));
    expect(() => stateDirForWriting({ NAR_SCAN_STATE })).toThrow(code('STATE_UNSAFE'));
    chmodSync(NAR_SCAN_STATE, 0o755);
    chmodSync(join(folder, 'open'), 0o777);
    expect(() => stateDirForReading({ NAR_SCAN_STATE })).toThrow(code('STATE_UNSAFE', /open'/));
    chmodSync(join(folder, 'open'), 0o1777);
    expect(stateDirForReading({ NAR_SCAN_STATE })).toBe(NAR_SCAN_STATE);
  });

  it.skipIf(!root)('is refused where it belongs to somebody else', () => {
    chownSync(folder, 1234, 1234);
    expect(() => stateDirForWriting({ NAR_SCAN_STATE: folder })).toThrow(code('STATE_UNSAFE', /1234/));
  });

  it('is an error where it cannot be made, or is no directory', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => stateDirForWriting({ NAR_SCAN_STATE: file })).toThrow(code('STATE_NOT_WRITTEN', /EEXIST/));
    expect(() => stateDirForWriting({ NAR_SCAN_STATE: `${file}/x` })).toThrow(code('STATE_NOT_WRITTEN'));
    expect(() => stateDirForReading({ NAR_SCAN_STATE: file })).toThrow(code('STATE_UNREADABLE'));
  });
});

describe('the state of the machine', () => {
  it('is read beside one’s own, where there is one and it may be read', async () => {
    const system = join(folder, 'system');
    expect(systemStateDir('/own', system)).toBeNull();
    mkdirSync(system, { mode: 0o755 });
    expect(systemStateDir(system, system)).toBeNull();
    if (!root) return;
    chmodSync(folder, 0o755);
    expect(await asNobody(() => systemStateDir('/own', system))).toBe(system);
    chmodSync(system, 0o700);
    expect(await asNobody(() => systemStateDir('/own', system))).toBeNull();
  });

  it('is an error where nobody can say whether there is one', () => {
    const system = join(folder, 'loop');
    symlinkSync(system, system);
    expect(() => systemStateDir('/own', system)).toThrow(code('STATE_UNREADABLE', /loop.*ELOOP/));
    writeFileSync(join(folder, 'file'), '');
    for (const none of ['nowhere/x', 'file', 'file/x']) {
      expect(systemStateDir('/own', join(folder, none))).toBeNull();
    }
  });

  it.skipIf(!root)('is refused where it is not root’s alone', async () => {
    chownSync(folder, 1234, 0);
    expect(() => systemStateDir('/own', folder)).toThrow(code('STATE_UNSAFE', /not to root/));
    chownSync(folder, 0, 0);
    chmodSync(folder, 0o777);
    expect(() => systemStateDir('/own', folder)).toThrow(code('STATE_UNSAFE', /others may write/));
    expect(await asNobody(() => systemStateDir('/own', join(folder, 'nowhere')))).toBeNull();
  });
});
