import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { netrcFileOf } from '../../src/nix/settings.ts';
import { needs } from '../support/programs.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'nar-scan-settings-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe.skipIf(!needs('nix'))('the files of the user and of all users', () => {
  const file = (name: string, text: string): string => {
    const path = join(folder, name, 'nix', 'nix.conf');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  /** What Nix itself says. */
  const real = (environment: NodeJS.ProcessEnv): string => {
    const args = ['--extra-experimental-features', 'nix-command', 'show-config', '--json'];
    const env = { PATH: process.env['PATH'], ...environment };
    const { stdout } = spawnSync('nix', args, { env, encoding: 'utf8', timeout: 60_000 });
    return (JSON.parse(stdout) as { 'netrc-file': { value: string } })['netrc-file'].value;
  };

  it('count as they do for Nix, the user’s own first', () => {
    const own = file('own', 'netrc-file = /own\n');
    file('first', 'netrc-file = /first\n');
    file('second', 'netrc-file = /second\n');
    file('empty', 'sandbox = false\n');
    const dirs = (...names: readonly string[]): string => names.map((name) => join(folder, name)).join(':');
    const system = { NIX_CONF_DIR: join(folder, 'nowhere'), HOME: folder };
    const environments: readonly NodeJS.ProcessEnv[] = [
      { ...system },
      { ...system, XDG_CONFIG_DIRS: dirs('first', 'second') },
      { ...system, XDG_CONFIG_DIRS: `:${dirs('empty', 'none', 'second', 'first')}:` },
      { ...system, XDG_CONFIG_DIRS: '' },
      { ...system, XDG_CONFIG_DIRS: dirs('first'), XDG_CONFIG_HOME: join(folder, 'own') },
      { ...system, XDG_CONFIG_DIRS: dirs('first'), XDG_CONFIG_HOME: join(folder, 'empty') },
      { ...system, XDG_CONFIG_DIRS: dirs('first'), NIX_USER_CONF_FILES: '' },
      { ...system, XDG_CONFIG_DIRS: dirs('first'), NIX_USER_CONF_FILES: `/none:${own}` },
    ];
    const found = environments.map((environment) => netrcFileOf([], environment));
    expect(found).toEqual(environments.map(real));
    expect(new Set(found).size).toBe(4);
  });
});

it('the netrc file is the one that Nix takes: of its flags, NIX_CONFIG, the user, the system', () => {
  const environment: NodeJS.ProcessEnv = { HOME: '/nowhere' };
  const found = (...flags: readonly string[]): string => netrcFileOf(flags, environment);
  expect(found()).toBe('/etc/nix/netrc');
  environment['NIX_CONF_DIR'] = folder;
  expect(found()).toBe(join(folder, 'netrc'));
  writeFileSync(
    join(folder, 'nix.conf'),
    '# netrc-file = /no\nnetrc-file = /a\nnetrc-file-x = /no\n  netrc-file=/no\n',
  );
  expect(found()).toBe('/a');
  environment['XDG_CONFIG_HOME'] = folder;
  mkdirSync(join(folder, 'nix'));
  writeFileSync(join(folder, 'nix', 'nix.conf'), 'netrc-file =  /b # mine\n');
  expect(found()).toBe('/b');
  writeFileSync(join(folder, 'other.conf'), 'netrc-file = /c');
  environment['NIX_USER_CONF_FILES'] = join(folder, 'other.conf');
  expect(found()).toBe('/c');
  environment['NIX_CONFIG'] = 'sandbox = false\nnetrc-file = /no\nnetrc-file = /d';
  expect(found()).toBe('/d');
  expect(found('--netrc-file', '/no', '--option', 'netrc-file', '/e', '--refresh')).toBe('/e');
});
