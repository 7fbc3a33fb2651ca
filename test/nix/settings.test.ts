import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { netrcFileOf } from '../../src/nix/settings.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'nar-scan-settings-'))));
afterEach(() => rmSync(folder, { recursive: true }));

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
