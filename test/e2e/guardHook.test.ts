import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLEAN, GuardedStore, HOOK, LEAK } from '../support/guardedStore.ts';
import { needs } from '../support/programs.ts';

describe.skipIf(!needs('nix', 'nix-build', 'nix-store'))('the post-build hook, started by itself', () => {
  let store: GuardedStore;
  let clean: string;
  let leaky: string;
  let cleanDrv: string;
  let leakyDrv: string;

  beforeAll(() => {
    store = new GuardedStore();
    const file = store.expression({ clean: CLEAN, leaky: LEAK });
    for (const name of ['clean', 'leaky']) store.nixBuild(file, [name]);
    [clean = '', leaky = ''] = ['clean', 'leaky'].map((name) => store.pathOf(file, name));
    [cleanDrv = '', leakyDrv = ''] = ['clean', 'leaky'].map((name) => store.derivationOf(file, name));
  });

  beforeEach(() => {
    store.setPolicy('');
    rmSync(store.state, { recursive: true, force: true });
    rmSync(store.followed, { force: true });
  });

  afterAll(() => store[Symbol.dispose]());

  /** The one line that it says. */
  const said = (variables: NodeJS.ProcessEnv): string => {
    const { status, stdout, stderr } = store.hook(variables);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    return `${status} ${stderr.trimEnd()}`;
  };

  describe('fails in one line where', () => {
    const absent = '0123456789abcdfghijklmnpqrsvwxyz-absent';

    it('nothing is named', () => {
      expect(said({})).toMatch(/^2 nar-scan: neither OUT_PATHS nor DRV_PATH .*nar-scan guard PATH/);
      expect(said({ OUT_PATHS: '   ', DRV_PATH: '' })).toMatch(/^2 .*\[GUARD_BAD_ENVIRONMENT\]/);
    });

    it.each(['--help', '--version', 'foo', ''])('somebody calls it with an argument: %j', (argument) => {
      const { status, stdout, stderr } = store.start(HOOK, [argument], { ...store.bare(), OUT_PATHS: clean });
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /^nar-scan: .* takes no arguments .*: Nix runs it after a build \[GUARD_BAD_ENVIRONMENT\]; .*README\.md.*\n$/,
      );
    });

    it.each(['/etc/passwd', '/home/noamyr', 'relative', 'x\u001b[31m'])('OUT_PATHS is %j', (path) => {
      expect(said({ OUT_PATHS: path })).toMatch(/^2 nar-scan: OUT_PATHS: .*\[GUARD_BAD_ENVIRONMENT\]/);
    });

    it('a path lies below an output, climbs, or holds a line break', () => {
      for (const path of [`${clean}/file`, `${clean}/../../etc`, `${clean}/`, `${clean}\n`, `${clean}\t`]) {
        expect(said({ OUT_PATHS: path })).toMatch(/^2 .*\[GUARD_BAD_ENVIRONMENT\]/);
      }
    });

    it('one of the outputs is not valid', () => {
      expect(said({ OUT_PATHS: `${clean} ${store.storeDir}/${absent}` })).toMatch(/^2 .*\[PATH_NOT_VALID\]/);
    });

    it('the derivation is none, or is missing and nothing else tells', () => {
      expect(said({ DRV_PATH: clean })).toMatch(/^2 .*\[DERIVATION_(?:INVALID|UNREADABLE)\]/);
      expect(said({ DRV_PATH: `${store.storeDir}/${absent}.drv` })).toMatch(/^2 .*\[DERIVATION_UNREADABLE\]/);
      expect(said({ DRV_PATH: '/etc/passwd' })).toMatch(/^2 .*\[GUARD_BAD_ENVIRONMENT\]/);
      // a machine that builds for others has no file of it
      const built = { DRV_PATH: `${store.storeDir}/${absent}.drv`, OUT_PATHS: clean };
      expect(store.hook(built)).toEqual({ status: 0, stdout: '', stderr: '' });
    });

    it('the mode does not exist', () => {
      expect(said({ OUT_PATHS: clean, NAR_SCAN_GUARD_MODE: 'off' })).toMatch(
        /^2 .*NAR_SCAN_GUARD_MODE: 'off'/,
      );
    });

    it('the policy does not parse, and says which line', () => {
      writeFileSync(store.policyFile, '[guard]\nmode = enforce\n');
      expect(said({ OUT_PATHS: clean })).toMatch(/^2 .*config\.toml:2.*\[POLICY_INVALID\]/);
      writeFileSync(store.policyFile, '[guard]\nmoed = "enforce"\n');
      expect(said({ OUT_PATHS: clean })).toMatch(/^2 .*config\.toml:2.*\[POLICY_INVALID\]/);
    });

    it('the time is over, and what it started is killed', async () => {
      const left = join(store.folder, 'left');
      const program = store.following(`sleep 3; touch '${left}'`);
      store.setPolicy(`[guard]\ndeadline = 1\nthen = ["${program}"]\n`);
      expect(said({ OUT_PATHS: clean })).toMatch(/^2 .*\[GUARD_DEADLINE\]/);
      await pause(3000);
      expect(existsSync(left)).toBe(false);
    });

    it('the hook that follows cannot be started', () => {
      store.setPolicy('[guard]\nthen = ["/nowhere/hook"]\n');
      expect(said({ OUT_PATHS: clean })).toMatch(
        /^2 .*'\/nowhere\/hook' cannot be started.*\[GUARD_NEXT_FAILED\]/,
      );
    });

    it('the state is at no absolute path, may be written by others, is a file', () => {
      const of = (NAR_SCAN_STATE: string): string => said({ OUT_PATHS: clean, NAR_SCAN_STATE });
      expect(of('relative')).toMatch(/^2 nar-scan: .*\[STATE_UNKNOWN\]/);
      expect(of(store.policyFile)).toMatch(/^2 nar-scan: .*\[STATE_UNREADABLE\]/);
      mkdirSync(store.state);
      chmodSync(store.state, 0o777);
      expect(of(store.state)).toMatch(/^2 nar-scan: .*\[STATE_UNSAFE\]/);
    });

    it.skipIf(process.platform !== 'linux')('the state cannot be made, once for all that needs it', () => {
      const { status, stderr } = store.hook({ OUT_PATHS: leaky, NAR_SCAN_STATE: '/proc/x' });
      expect(status).toBe(1);
      expect(stderr.match(/\[STATE_NOT_WRITTEN\]/g)).toHaveLength(1);
    });

    it('a leak cannot be recorded', () => {
      const variables = { DRV_PATH: leakyDrv, NAR_SCAN_STATE: '/dev/null/state' };
      const enforced = store.hook(variables);
      expect(enforced.status).toBe(1);
      expect(enforced.stderr).toContain('rejected: ');
      expect(enforced.stderr).not.toContain('quarantine show');
      const withheld = store.hook({ ...variables, NAR_SCAN_GUARD_MODE: 'quarantine' });
      expect(withheld.status).toBe(2);
      expect(withheld.stderr).toMatch(/\[STATE_/);
    });
  });

  it('takes the outputs of both, whichever names more', () => {
    store.setPolicy(`[guard]\nthen = ["${store.following()}"]\n`);
    expect(store.hook({ OUT_PATHS: clean, DRV_PATH: leakyDrv }).status).toBe(1);
    expect(store.hook({ OUT_PATHS: leaky, DRV_PATH: cleanDrv }).status).toBe(1);
    expect(store.given()).toEqual([]);
    expect(store.hook({ OUT_PATHS: `${clean} ${clean}`, DRV_PATH: cleanDrv }).status).toBe(0);
    expect(store.given()).toEqual([`${cleanDrv}: ${clean}`]);
  });

  it('gives the hook that follows the environment as it came, no input and a way to print', () => {
    const program = store.following('cat; echo "to $ODD"; echo "err $0" >&2; exit 3');
    store.setPolicy(`[guard]\nthen = ["${program}", "an argument"]\n`);
    const { status, stdout, stderr } = store.hook({ OUT_PATHS: clean, ODD: 'a  b' });
    expect({ status, stdout, stderr }).toEqual({
      status: 3,
      stdout: 'to a  b\n',
      stderr: `err ${program}\n`,
    });
  });

  it('does not wait for what the hook that follows leaves behind', () => {
    store.setPolicy(`[guard]\nthen = ["${store.following('sleep 50 &')}"]\n`);
    const began = performance.now();
    expect(store.hook({ OUT_PATHS: clean }).status).toBe(0);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it('never tells of the environment', () => {
    store.setPolicy(`[guard]\nthen = ["/nowhere/hook"]\n`);
    const secret = 'ghp_secret';
    for (const paths of [clean, leaky, 'x']) {
      const { stdout, stderr } = store.hook({ OUT_PATHS: paths, NIX_CONFIG: `access-tokens = x=${secret}` });
      expect(stdout + stderr).not.toContain(secret);
    }
    const reports = join(store.state, 'reports');
    const files = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
    expect(files).not.toHaveLength(0);
    expect(files.join('')).not.toContain(secret);
  });

  it('that is what follows itself ends', () => {
    store.setPolicy(`[guard]\nthen = ["${HOOK}"]\n`);
    const { status, stderr } = store.hook({ OUT_PATHS: clean });
    expect(status).toBe(0);
    expect(stderr).toContain('guard.then is not started again inside itself');
  });

  it('judges a build that the hook that follows starts', () => {
    const file = store.expression({ inner: LEAK });
    store.setPolicy(`[guard]\nthen = ["${store.following(`nix-build --no-out-link ${file} -A inner`)}"]\n`);
    const { status, stderr } = store.hook({ ...store.environment, OUT_PATHS: clean });
    expect(status).not.toBe(0);
    expect(stderr).toContain('rejected: ');
  });

  it('fails where every guard leads to another build', () => {
    const inside = Array.from({ length: 8 }, (_, index) => `build-${index}`).join(' ');
    expect(said({ OUT_PATHS: clean, NAR_SCAN_GUARD_NESTING: inside })).toMatch(
      /^2 .*\[GUARD_NESTED_TOO_DEEP\]/,
    );
  });

  it('fails where a path is collected while it is judged', () => {
    const file = store.expression({ gone: CLEAN });
    store.nixBuild(file, ['gone']);
    const path = store.pathOf(file, 'gone');
    // the database still has it
    chmodSync(path, 0o755);
    rmSync(path, { recursive: true });
    const { status, stderr } = store.hook({ OUT_PATHS: path });
    expect(status).toBe(2);
    expect(stderr).toContain('TARGET_MISSING');
    store.delete(path);
  });

  it('fails where a path is not what Nix has registered', () => {
    const file = store.expression({ changed: CLEAN });
    store.nixBuild(file, ['changed']);
    const path = store.pathOf(file, 'changed');
    chmodSync(join(path, 'file'), 0o644);
    writeFileSync(join(path, 'file'), 'something else\n');
    rmSync(store.state, { recursive: true });
    const { status, stderr } = store.hook({ OUT_PATHS: path });
    expect(status).toBe(2);
    expect(stderr).toContain('PATH_TAMPERED');
    store.delete(path);
  });

  it('may run many times at once: every refusal is recorded, the trail holds', async () => {
    const environment = { ...store.bare(), DRV_PATH: leakyDrv };
    const ended = await Promise.all(Array.from({ length: 6 }, () => store.startBeside(HOOK, environment)));
    expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 1));
    expect(store.trail().filter(({ event }) => event === 'rejected')).toHaveLength(6);
    expect(store.narScan('audit', 'verify').status).toBe(0);
    const kept = readdirSync(join(store.state, 'quarantine'));
    expect(kept).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
  });

  it('killed at any moment leaves nothing that lets a leak pass', async () => {
    for (let round = 0; round < 12; round++) {
      const child = spawn(HOOK, [], {
        env: { ...store.bare(), DRV_PATH: leakyDrv },
        stdio: 'ignore',
        detached: true,
      });
      const closed = new Promise((resolve) => void child.once('close', resolve));
      await pause(30 + round * 25);
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await closed;
    }
    expect(store.hook({ DRV_PATH: leakyDrv }).status).toBe(1);
    expect(store.hook({ DRV_PATH: cleanDrv }).status).toBe(0);
    expect(store.narScan('audit', 'verify').status).toBe(0);
  });

  it('judges with a state that is full: what leaks is rejected, what is clean passes', () => {
    mkdirSync(store.state, { mode: 0o700 });
    const limited = (variables: NodeJS.ProcessEnv) =>
      store.start('/bin/sh', ['-c', `ulimit -f 0; exec ${HOOK}`], { ...store.bare(), ...variables }, '/');
    expect(limited({ DRV_PATH: leakyDrv }).status).toBe(1);
    expect(limited({ DRV_PATH: leakyDrv, NAR_SCAN_GUARD_MODE: 'quarantine' }).status).toBe(2);
    expect(limited({ DRV_PATH: cleanDrv }).status).toBe(0);
  });
});
