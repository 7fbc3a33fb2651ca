import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CacheServer, nixClient, type ProgramRun } from '../support/cacheServer.ts';
import { NAR_SCAN, narScan } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { NIX_COMPRESSIONS, SymlinkedStore } from '../support/realNix.ts';

describe.skipIf(!needs('nix', 'nix-build'))('nar-scan serve, with the real Nix', () => {
  let store: SymlinkedStore;
  /** Nothing; refers to nothing. */
  let base: string;
  /** Clean; refers to base. */
  let tool: string;
  /** Leaks the home of its builder; refers to base. */
  let leaky: string;
  let server: CacheServer | null = null;

  beforeAll(() => {
    store = new SymlinkedStore();
    base = store.build('base', 'mkdir $out; echo base > $out/base; echo x > "$out/a file"');
    const script = `mkdir -p $out/bin; echo ${base} > $out/tool; ln -s ${base}/base $out/bin/base; seq 200000 > $out/numbers`;
    tool = store.build('tool', script, [base]);
    leaky = store.build('leaky', `mkdir $out; echo ${base} ${store.home}/src/x.c > $out/leaky`, [base]);
  });
  afterAll(() => store[Symbol.dispose]());
  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = null;
  });

  const start = async (...args: readonly string[]): Promise<CacheServer> => await startIn(undefined, ...args);
  /** @param folder that is kept; undefined: one of its own */
  const startIn = async (folder: string | undefined, ...args: readonly string[]): Promise<CacheServer> => {
    const said = { storeDir: store.storeDir, args: ['--home', store.home, ...args] };
    return (server = await CacheServer.start(folder === undefined ? said : { ...said, folder }));
  };
  const nix = async (...args: readonly string[]): Promise<ProgramRun> =>
    await nixClient(store.environment, ...args);
  const hashPart = (path: string): string => path.slice(store.storeDir.length + 1).slice(0, 32);
  const fetched = async (name: string, method = 'GET'): Promise<number> =>
    (await fetch(`${server?.url}/${name}`, { method })).status;

  it.each(NIX_COMPRESSIONS)('a clean closure goes there and back: %s', async (compression) => {
    const { url } = await start();
    const to = await nix('copy', '--to', `${url}?compression=${compression}`, tool);
    expect(to).toMatchObject({ status: 0 });
    for (const path of [tool, base]) expect(await fetched(`${hashPart(path)}.narinfo`)).toBe(200);

    const second = mkdtempSync(join(store.folder, 'second-'));
    // one by one: Nix 2.8 breaks down (SIGABRT) over two NARs in lzma at once, from any cache
    for (const path of [base, tool]) {
      const back = await nix('copy', '--from', url, '--to', second, '--no-check-sigs', path);
      expect(back).toMatchObject({ status: 0 });
      const real = join(second, 'nix/store', path.slice(store.storeDir.length + 1));
      expect(store.dump(real).equals(store.dump(path))).toBe(true);
    }
    const again = await nix('copy', '--to', `${url}?compression=${compression}`, tool);
    expect(again).toMatchObject({ status: 0 });
  });

  it('a leak is refused in one line that nix shows, and goes through when it is released', async () => {
    const { url, state } = await start();
    for (let round = 0; round < 2; round++) {
      const refused = await nix('copy', '--to', url, leaky);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain(store.home);
      expect(refused.stderr).toMatch(/HTTP error 403\b.*\s+response body:\s+nar-scan: [ -~]+\n/);
      expect(await fetched(`${hashPart(leaky)}.narinfo`)).toBe(404);
      expect(await fetched(`${hashPart(leaky)}.narinfo`, 'HEAD')).toBe(404);
    }
    expect(readdirSync(join(state, 'spool'))).toEqual([]);
    expect(existsSync(join(server?.storage ?? '', `${hashPart(leaky)}.narinfo`))).toBe(false);

    const env = { ...store.environment, NAR_SCAN_STATE: state };
    const list = narScan(['quarantine', 'list', '--json'], { env });
    const { id } = JSON.parse(list.stdout.split('\n', 1)[0] ?? '') as { id: string };
    const release = narScan(['quarantine', 'release', id, '--reason', 'the path is harmless'], { env });
    expect(release).toMatchObject({ status: 0 });
    expect(await nix('copy', '--to', url, leaky)).toMatchObject({ status: 0 });
    expect(await fetched(`${hashPart(leaky)}.narinfo`)).toBe(200);
  });

  it('a large leak is refused again before it comes, in the same words', async () => {
    const { url } = await start();
    const script = `mkdir $out; echo ${store.home}/src/x.c > $out/a; head -c 40000000 /dev/urandom > $out/b`;
    const large = store.build('large', script);
    const copy = async (): Promise<ProgramRun> => await nix('copy', '--to', `${url}?compression=none`, large);
    const [first, second] = [await copy(), await copy()];
    expect(first).toMatchObject({ status: 1, stderr: expect.stringContaining(store.home) });
    expect(second).toEqual(first);
  });

  it('signs what a trusted key has signed, for clients that trust only the server', async () => {
    const keys = mkdtempSync(join(store.folder, 'keys-'));
    const pair = (name: string): string => {
      const secret = join(keys, name);
      store.run('nix-store', ['--generate-binary-cache-key', name, secret, `${secret}.pub`]);
      return secret;
    };
    const [builder, cache] = [pair('builder-1'), pair('cache-1')];
    const publicKey = (secret: string): string => readFileSync(`${secret}.pub`, 'utf8').trim();
    const policy = join(keys, 'policy.toml');
    writeFileSync(policy, `[admission]\ntrusted_keys = ["${publicKey(builder)}"]\nanonymous_read = true\n`);
    const made = narScan(['token', 'new', '--name', 'ci', '--scope', 'push,read', '--home', store.home]);
    const secret = /nst_[A-Za-z0-9_-]+/.exec(made.stderr)?.[0] ?? '';
    const tokens = join(keys, 'tokens.toml');
    writeFileSync(tokens, made.stdout, { mode: 0o600 });
    const { url } = await start('--tokens', tokens, '--policy', policy, '--sign-key', cache);
    const pushUrl = url.replace('//', `//ci:${secret}@`);
    const get = async (path: string): Promise<ProgramRun> => {
      const second = mkdtempSync(join(store.folder, 'second-'));
      const trust = ['--option', 'trusted-public-keys', publicKey(cache)];
      return await nix('copy', '--from', url, '--to', second, ...trust, path);
    };

    const other = store.build('other', 'echo other > $out');
    const stranger = await nix('copy', '--to', url, other);
    expect(stranger).toMatchObject({ status: 1, stderr: expect.stringContaining('401') });
    expect(await nix('copy', '--to', pushUrl, other)).toMatchObject({ status: 0 });
    expect((await get(other)).stderr).toMatch(/lacks a (?:valid signature|signature by a trusted key)/);

    store.run('nix', ['store', 'sign', '--key-file', builder, '--recursive', tool]);
    expect(await nix('copy', '--to', pushUrl, tool)).toMatchObject({ status: 0 });
    expect(await get(tool)).toMatchObject({ status: 0 });
    expect(server?.log()).not.toContain(secret);
    expect(server?.log()).toContain('"by":"ci"');
  });

  it('ends at a signal when what is under way has ended, and starts again with all that was published', async () => {
    const { url, folder } = await start();
    expect(await nix('copy', '--to', url, tool)).toMatchObject({ status: 0 });
    expect(await server?.stop('SIGTERM')).toBe(0);
    const again = await CacheServer.start({ storeDir: store.storeDir, folder });
    try {
      const answer = await fetch(`${again.url}/${hashPart(tool)}.narinfo`);
      expect([answer.status, await answer.text()]).toEqual([
        200,
        expect.stringContaining(`StorePath: ${tool}\n`),
      ]);
    } finally {
      await again.stop();
    }
  });

  it('one server at a time has a state', async () => {
    const { folder } = await start();
    await expect(CacheServer.start({ storeDir: store.storeDir, folder })).rejects.toThrow('SERVER_RUNS');
  });

  it('gives an upload time to end, but not without end, and leaves nothing of it', async () => {
    const { url, state } = await start();
    const name = `nar/${'1'.repeat(52)}.nar`;
    const sent = request(`${url}/${name}`, { method: 'PUT', headers: { 'content-length': 1_000_000 } });
    sent.on('error', () => undefined);
    sent.write(Buffer.alloc(1000));
    await expect.poll(() => readdirSync(join(state, 'spool')).length).toBe(1);
    const stopped = server?.stop('SIGTERM');
    await pause(300);
    expect(server?.child.exitCode).toBeNull();
    sent.destroy();
    expect(await stopped).toBe(0);
    expect(readdirSync(join(state, 'spool'))).toEqual([]);
  });

  it('what a killed server was receiving is swept by the next one', async () => {
    const { url, state, folder } = await start();
    const name = `nar/${'1'.repeat(52)}.nar`;
    const sent = request(`${url}/${name}`, { method: 'PUT', headers: { 'content-length': 1_000_000 } });
    sent.on('error', () => undefined);
    sent.write(Buffer.alloc(1000));
    await expect.poll(() => readdirSync(join(state, 'spool')).length).toBe(1);
    await server?.stop('SIGKILL');
    expect(readdirSync(join(state, 'spool'))).toHaveLength(1);
    const again = await CacheServer.start({ storeDir: store.storeDir, folder });
    await again.stop();
    expect(readdirSync(join(state, 'spool'))).toEqual([]);
  });

  it.skipIf(!needs('systemd-socket-activate'))('listens on the socket that systemd has opened', async () => {
    const folder = mkdtempSync(join(store.folder, 'activated-'));
    const socket = join(folder, 'socket');
    const words = ['--no-auth', '--state', join(folder, 'state'), '--storage', `file://${folder}/storage`];
    const child = spawn(
      'systemd-socket-activate',
      ['-l', socket, '-E', 'PATH', NAR_SCAN, 'serve', ...words],
      { stdio: 'ignore' },
    );
    const exited = once(child, 'exit');
    await expect.poll(() => existsSync(socket)).toBe(true);
    const answer = request({ socketPath: socket, path: '/nix-cache-info' }).end();
    const [response] = (await once(answer, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    answer.destroy();
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('a dry run admits what leaks, and says so; without it that is not served any more', async () => {
    const folder = mkdtempSync(join(store.folder, 'dry-'));
    const { url } = await startIn(folder, '--dry-run');
    expect(await nix('copy', '--to', url, leaky)).toMatchObject({ status: 0 });
    expect(await fetched(`${hashPart(leaky)}.narinfo`)).toBe(200);
    const verdict = await fetch(`${url}/api/v1/verdict/${hashPart(leaky)}`);
    expect(await verdict.json()).toMatchObject({ verdict: 'contaminated' });
    expect(server?.log()).toContain('contaminated');

    await server?.stop();
    const strict = await startIn(folder);
    expect(await fetched(`${hashPart(leaky)}.narinfo`)).toBe(404);
    expect(await fetched(`${hashPart(base)}.narinfo`)).toBe(200);
    expect(await nix('copy', '--to', strict.url, leaky)).toMatchObject({ status: 1 });
    expect(await fetched(`${hashPart(leaky)}.narinfo`)).toBe(404);
  });

  it('takes and gives what nix sends beside, packed as it likes', async () => {
    const { url } = await start();
    const packed = 'narinfo-compression=xz&ls-compression=br&write-nar-listing=true';
    expect(await nix('copy', '--to', `${url}?${packed}`, tool)).toMatchObject({ status: 0 });
    const listing = await fetch(`${url}/${hashPart(tool)}.ls`);
    expect(listing.headers.get('content-type')).toBe('application/json');
    const { version, root } = (await listing.json()) as { version: number; root: { entries: object } };
    expect([version, Object.keys(root.entries)]).toEqual([1, ['bin', 'numbers', 'tool']]);
    const read = await nix('store', 'cat', '--store', url, `${tool}/tool`);
    expect(read).toMatchObject({ status: 0, stdout: `${base}\n` });
  });
});
