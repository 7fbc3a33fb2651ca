import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NAR_SCAN } from '../support/narScan.ts';
import { storePathNamed } from '../support/refused.ts';

const HELLO = storePathNamed('hello');

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-audit-'));
  state = join(folder, 'state');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program in a shell, behind what the shell is to do first. */
function run(before: string, ...words: readonly string[]) {
  const env = { ...process.env, NAR_SCAN_STATE: state, NAR_SCAN_CONFIG: '/dev/null' };
  const script = `${before}; exec "$0" "$@"`;
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script, NAR_SCAN, ...words], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const deny = (before = ':') => run(before, 'quarantine', 'deny', HELLO, '--reason', 'bad');
const count = () => readFileSync(join(state, 'audit.jsonl'), 'utf8').split('\n').length - 1;

describe('the audit trail, by the program', () => {
  it('takes decisions of one process after the other, and holds', () => {
    expect(deny().status).toBe(0);
    expect(deny().stdout).toMatch(/^denied .*-hello \(record 2\)\n$/);
    expect(run(':', 'audit', 'verify')).toMatchObject({ status: 0, stderr: '' });
    expect(run(':', 'audit', 'list', '--json').stdout.split('\n')).toHaveLength(3);
  });

  it('is as it was where a record cannot be written', () => {
    mkdirSync(state, { mode: 0o700 });
    expect(deny().status).toBe(0);
    const { status, stderr } = deny('ulimit -f 0');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^(nar-scan: .*\n)*nar-scan: .* \[STATE_NOT_WRITTEN\]; .*\n$/);
    expect(count()).toBe(1);
    expect(run(':', 'audit', 'verify').status).toBe(0);
    expect(deny().status).toBe(0);
    expect(count()).toBe(2);
  });

  it('says in one line what is wrong with it, with status 2', () => {
    deny();
    const file = join(state, 'audit.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('bad', 'mad'));
    for (const words of [
      ['audit', 'verify'],
      ['quarantine', 'list'],
    ]) {
      const { status, stdout, stderr } = run(':', ...words);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^nar-scan: .*line 1: the record was changed.* \[AUDIT_BROKEN\]; .*\n$/);
    }
  });

  it('is no business of a reader who goes', () => {
    for (let at = 0; at < 3; at++) deny();
    const { status, stderr } = run('exec 1>/dev/full', 'audit', 'list');
    expect([status, stderr]).toEqual([2, expect.stringMatching(/REPORT_NOT_WRITTEN/)]);
    const script = `"$0" audit list | { exec 0<&-; sleep 1; }`;
    const env = { ...process.env, NAR_SCAN_STATE: state };
    expect(spawnSync('/bin/sh', ['-c', script, NAR_SCAN], { env, encoding: 'utf8' }).stderr).toBe('');
  });
});
