import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheServer } from '../support/cacheServer.ts';
import { narScan } from '../support/narScan.ts';

describe('what whoever runs nar-scan serve reads', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-start-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const start = async (options: { storage?: string; args?: string[] } = {}): Promise<CacheServer> =>
    await CacheServer.start({ storeDir: '/nix/store', folder, ...options });

  it('is how it is run, without secrets', async () => {
    await using server = await start({ args: ['--dry-run', '--home=/home/noamyr'] });
    const [first = '', second = ''] = server.log().split('\n');
    expect(JSON.parse(first)).toMatchObject({
      storage: server.storage,
      state: server.state,
      homes: ['/home/noamyr'],
      dryRun: true,
      msg: `listens on ${server.url}`,
    });
    expect(JSON.parse(second)).toMatchObject({ level: 40, msg: 'a dry run: nothing is refused' });
  });

  it('is at once that the storage behind it does not answer, and never where in the program', async () => {
    await using server = await start({ storage: 'http://ci:secret@127.0.0.1:1/' });
    await expect.poll(() => server.log()).toContain('not ready: storage');
    expect(server.log()).toContain('"code":"STORAGE_FAILED"');
    expect(server.log()).not.toMatch(/stack|secret/);
  });

  it('is that its address is taken', async () => {
    await using server = await start();
    const other = mkdtempSync(join(tmpdir(), 'nar-scan-start-'));
    const args = ['--listen', new URL(server.url).host];
    const second = CacheServer.start({ storeDir: '/nix/store', folder: other, args });
    await expect(second).rejects.toThrow('a program listens there already [LISTEN_FAILED]');
    rmSync(other, { recursive: true });
  });

  it('is that a file is no storage', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(start({ storage: `file://${file}` })).rejects.toThrow('STORAGE_UNUSABLE');
  });

  it('is that there is no token', async () => {
    const tokens = join(folder, 'tokens.toml');
    writeFileSync(tokens, '', { mode: 0o600 });
    await expect(start({ args: ['--tokens', tokens] })).rejects.toThrow('TOKENS_INVALID');
  });

  it('is whose token is not enough', async () => {
    const tokens = join(folder, 'tokens.toml');
    const { stdout, stderr } = narScan(['token', 'new', '--name', 'ci', '--scope', 'push']);
    writeFileSync(tokens, stdout, { mode: 0o600 });
    await using server = await start({ args: ['--tokens', tokens] });
    const headers = { authorization: `Bearer ${/nst_\S+/.exec(stderr)?.[0]}` };
    expect((await fetch(`${server.url}/review`, { headers })).status).toBe(403);
    await expect.poll(() => server.log()).toMatch(/"by":"ci","method":"GET","path":"\/review","status":403/);
  });
});
