import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CacheServer, nixClient, type ProgramRun } from '../support/cacheServer.ts';
import { narScan } from '../support/narScan.ts';
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

  const start = async (...args: readonly string[]): Promise<CacheServer> =>
    (server = await CacheServer.start({ storeDir: store.storeDir, args: ['--home', store.home, ...args] }));
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
      expect(refused.stderr).toMatch(/HTTP error 403 \('nar-scan: [ -~]+'\)/);
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
});
