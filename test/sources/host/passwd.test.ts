import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NarScanError } from '../../../src/model/errors.ts';
import { asksOthers, getent } from '../../../src/sources/host/passwd.ts';

describe('whether the system asks others than the file for users', () => {
  it.each([
    ['passwd: files systemd', true],
    ['group: files\npasswd:\tfiles sss\n', true],
    ['passwd: compat', true],
    ['passwd: files [NOTFOUND=return] ldap', true],
    ['passwd: files', false],
    ['passwd: files # ldap', false],
    ['# passwd: ldap', false],
    ['passwd: files [!UNAVAIL=return]', false],
    ['group: ldap', false],
    ['', false],
  ])('%j: %s', (text, expected) => {
    expect(asksOthers(text, () => true)).toBe(expected);
  });

  it.each([
    ['passwd: files systemd', false],
    ['passwd: files systemd sss', true],
  ])('%j where systemd has no users: %s', (text, expected) => {
    expect(asksOthers(text, () => false)).toBe(expected);
  });

  it('no file: it does not', () => {
    expect(asksOthers(null)).toBe(false);
  });
});

describe('getent', () => {
  let folder: string;
  const answering = (script: string) => {
    writeFileSync(join(folder, 'getent'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'getent'), 0o755);
    return getent({ PATH: `${folder}:/bin` }, ['1000', 'zoe'], 700).catch((error: unknown) => {
      if (!(error instanceof NarScanError)) throw error;
      return `${error.code}: ${error.message}`;
    });
  };

  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'nar-scan-getent-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is asked for users by name, and tells those it knows', async () => {
    expect(await answering('echo "$@"')).toBe('passwd 1000 zoe\n');
    expect(await answering('echo line; exit 2')).toBe('line\n');
  });

  it('that fails, hangs or has no end is a fault, not an empty answer', async () => {
    expect(await answering('exit 1')).toMatch(/^HOMES_UNREADABLE: getent passwd failed \(1\)/);
    expect(await answering('exec sleep 30')).toMatch(
      /^HOMES_UNREADABLE: getent passwd gave no answer within/,
    );
    expect(await answering('while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done')).toMatch(
      /^HOMES_UNREADABLE/,
    );
  });
});
