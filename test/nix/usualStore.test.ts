import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { storeUrlOf } from '../../src/nix/usualStore.ts';

describe('the store that Nix opens', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-usual-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'nix.conf'), 'store = /of/the/file\n');
  /** Where nothing is configured, and no store in a home is looked for. */
  const bare = { NIX_CONF_DIR: '/nonexistent', NIX_USER_CONF_FILES: '', NIX_STORE_DIR: '/nix/store' };
  const found = (named: string | null, environment: NodeJS.ProcessEnv): string | undefined =>
    storeUrlOf(named, { ...bare, ...environment });

  it('is the one that is named, else configured, else that of NIX_REMOTE', () => {
    const all = { NIX_CONF_DIR: folder, NIX_CONFIG: 'store = /of/the/run\n', NIX_REMOTE: '/remote' };
    expect(found('/named', all)).toBe('/named');
    expect(found(null, all)).toBe('/of/the/run');
    expect(found(null, { ...all, NIX_CONFIG: 'cores = 1' })).toBe('/of/the/file');
    expect(found(null, { NIX_REMOTE: '/remote' })).toBe('/remote');
    expect(found(null, { NIX_REMOTE: 'daemon' })).toBe('daemon');
  });

  it.each(['', 'auto', 'https://cache.example.org', 'ssh-ng://builder', 'file:///srv/cache'])(
    'is that of this machine where it is %j',
    (url) => {
      expect(found(null, { NIX_CONFIG: `store = ${url}` })).toBeUndefined();
      expect(found(null, { NIX_REMOTE: url })).toBeUndefined();
    },
  );
});
