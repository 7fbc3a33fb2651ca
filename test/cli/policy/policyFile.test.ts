import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadPolicy, readPolicyFile } from '../../../src/cli/policy/policyFile.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { BUILT_IN_POLICY } from '../../../src/policy/policy.ts';

let folder: string;
let system: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-policy-'));
  system = put('etc/config.toml', 'homes = ["/home/system"]');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o755 });
  writeFileSync(path, text, { mode: 0o644 });
  return path;
}

const code = (wanted: string, message = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) });

describe('the policy that counts', () => {
  const homesOf = async (named: string | null, environment: NodeJS.ProcessEnv) =>
    (await loadPolicy(named, environment, system)).policy.facts.homes.join();

  it('is the first there is, alone: --policy, NAR_SCAN_CONFIG, the user’s, the machine’s', async () => {
    const named = put('named.toml', 'homes = ["/home/named"]');
    const variable = put('variable.toml', 'homes = ["/home/variable"]');
    put('xdg/nar-scan/config.toml', 'homes = ["/home/xdg"]');
    put('home/.config/nar-scan/config.toml', 'homes = ["/home/user"]');
    const HOME = join(folder, 'home');
    const all = { NAR_SCAN_CONFIG: variable, XDG_CONFIG_HOME: join(folder, 'xdg'), HOME };
    expect(await homesOf(named, all)).toBe('/home/named');
    expect(await homesOf(null, all)).toBe('/home/variable');
    expect(await homesOf(null, { ...all, NAR_SCAN_CONFIG: '' })).toBe('/home/xdg');
    expect(await homesOf(null, { HOME })).toBe('/home/user');
    expect(await homesOf(null, { HOME, XDG_CONFIG_HOME: 'relative' })).toBe('/home/user');
    expect(await homesOf(null, { HOME: '' })).toBe('/home/system');
    expect(await homesOf(null, { HOME: join(folder, 'nowhere') })).toBe('/home/system');
  });

  it('is told together with those that do not count', async () => {
    const own = put('home/.config/nar-scan/config.toml', '');
    expect(await loadPolicy(null, { HOME: join(folder, 'home') }, system)).toEqual({
      policy: BUILT_IN_POLICY,
      path: own,
      others: [system],
    });
    rmSync(system);
    expect(await loadPolicy(null, {}, system)).toEqual({ policy: BUILT_IN_POLICY, path: null, others: [] });
  });

  it('is an error where the one that was asked for is not there', async () => {
    await expect(loadPolicy(null, { NAR_SCAN_CONFIG: '/nowhere' }, system)).rejects.toEqual(
      code('POLICY_UNREADABLE', /no such file/),
    );
  });

  it('is none that others may write to, unless it was named', async () => {
    const own = put('home/.config/nar-scan/config.toml', '');
    const load = () => loadPolicy(null, { HOME: join(folder, 'home') }, system);
    for (const path of [own, join(own, '..')]) {
      for (const mode of [0o777, 0o775]) {
        chmodSync(path, mode);
        await expect(load()).rejects.toEqual(code('POLICY_UNSAFE', /others may write/));
        expect(readPolicyFile(own, 'named')?.length).toBe(0);
      }
      chmodSync(path, 0o755);
      expect((await load()).path).toBe(own);
    }
    // a link into a place such as the Nix store, where others may add but not replace
    const store = put('store/policy.toml', '');
    chmodSync(join(folder, 'store'), 0o1775);
    rmSync(own);
    symlinkSync(store, own);
    expect((await load()).path).toBe(own);
    chmodSync(join(folder, 'store'), 0o775);
    await expect(load()).rejects.toEqual(code('POLICY_UNSAFE'));
  });
});

describe('a policy that the environment names', () => {
  it('is none that others may write to, though --policy may name it', async () => {
    const path = put('ci/policy.toml', 'homes = ["/home/noamyr"]');
    const load = () => loadPolicy(null, { NAR_SCAN_CONFIG: path }, system);
    expect((await load()).path).toBe(path);
    for (const open of [path, join(path, '..')]) {
      chmodSync(open, 0o777);
      await expect(load()).rejects.toEqual(code('POLICY_UNSAFE', /others may write/));
      expect((await loadPolicy(path, {}, system)).policy.facts.homes).toEqual(['/home/noamyr']);
      chmodSync(open, 0o755);
    }
  });
});

describe('what is no policy file', () => {
  it.each<[string, () => string, RegExp]>([
    ['a directory', () => folder, /it is no file/],
    [
      'a fifo',
      () => {
        spawnSync('mkfifo', [join(folder, 'fifo')]);
        return join(folder, 'fifo');
      },
      /it is no file/,
    ],
    ['a device without end', () => '/dev/zero', /larger than 1048576 bytes/],
    [
      '100 MB',
      () => {
        truncateSync(put('large', ''), 100_000_000);
        return join(folder, 'large');
      },
      /larger than 1048576 bytes/,
    ],
    ['a file behind a file', () => join(put('file', ''), 'x'), /ENOTDIR/],
  ])('is refused in one line: %s', (_what, path, message) => {
    expect(() => readPolicyFile(path(), 'named')).toThrow(code('POLICY_UNREADABLE', message));
  });

  it('is nothing, where the policy is /dev/null', () => {
    expect(readPolicyFile('/dev/null', 'environment')?.length).toBe(0);
  });

  it('is not a file of the greatest size', () => {
    const path = put('most', `#${'x'.repeat(LIMITS.policyBytes - 1)}`);
    expect(readPolicyFile(path, 'named')?.length).toBe(LIMITS.policyBytes);
  });
});
