import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { narWith, pathOf, STORE_DIR } from '../admission/publication/cache.ts';
import { CacheClient, SentOutput } from '../support/cacheClient.ts';
import { CacheServer } from '../support/cacheServer.ts';
import { narScan } from '../support/narScan.ts';

const SERVED = [200, 200, 200, 200, 200, 200];
const NOT_SERVED = [404, 404, 404, 404, 404, 404];

describe('a denial of what is published', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-denied-'));
  let server: CacheServer;
  let client: CacheClient;

  beforeAll(async () => {
    server = await CacheServer.start({ storeDir: STORE_DIR, folder });
    client = new CacheClient(server.url);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: readonly string[]) =>
    narScan(args, { env: { PATH: process.env['PATH'], NAR_SCAN_STATE: server.state } });
  const deny = (named: string): void => {
    expect(run('quarantine', 'deny', named, '--reason', 'it phones home')).toMatchObject({ status: 0 });
  };
  const verdict = async ({ hashPart }: SentOutput): Promise<number> =>
    (await client.get(`api/v1/verdict/${hashPart}`)).status;

  it.each([
    ['its store path', 'a', ({ storePath }: SentOutput) => storePath],
    ['its content', 'b', ({ info }: SentOutput) => info.narHash],
  ])(
    'by %s takes it away at once, refuses it when it is sent again, and can be lifted',
    async (_, letter, named) => {
      const output = new SentOutput(narWith(letter), pathOf(letter));
      expect((await client.upload(output)).status).toBe(200);
      expect(await client.statusesOf(output)).toEqual(SERVED);

      deny(named(output));
      expect(await client.statusesOf(output)).toEqual(NOT_SERVED);
      expect(await verdict(output)).toBe(404);
      const again = await client.upload(output);
      expect(again).toMatchObject({ status: 403, reason: expect.stringContaining('it phones home') });
      const other = new SentOutput(narWith(`refers to ${letter}`), pathOf(letter === 'a' ? 'c' : 'd'), {
        references: [output.storePath],
      });
      expect((await client.upload(other)).status).toBe(422);
      expect(await client.statusesOf(output)).toEqual(NOT_SERVED);

      const lifted = run('quarantine', 'lift', named(output), '--reason', 'it does not');
      expect(lifted).toMatchObject({ status: 0 });
      expect(await client.statusesOf(output)).toEqual(SERVED);
      expect(await verdict(output)).toBe(200);
    },
  );

  it('of one path leaves the same NAR to another, and of the content to none', async () => {
    const nar = narWith('shared');
    const [one, other] = [new SentOutput(nar, pathOf('f')), new SentOutput(nar, pathOf('g'))];
    for (const output of [one, other]) expect((await client.upload(output)).status).toBe(200);
    deny(one.storePath);
    expect(await client.statusesOf(one)).toEqual([404, 404, 200, 200, 404, 404]);
    expect(await client.statusesOf(other)).toEqual(SERVED);
    deny(one.info.narHash);
    expect(await client.statusesOf(other)).toEqual(NOT_SERVED);
  });

  it('counts after a restart, and where nobody can tell what was denied nothing is served', async () => {
    const output = new SentOutput(narWith('h'), pathOf('h'));
    const fine = new SentOutput(narWith('i'), pathOf('i'));
    for (const each of [output, fine]) expect((await client.upload(each)).status).toBe(200);
    deny(output.storePath);
    await server.stop();
    server = await CacheServer.start({ storeDir: STORE_DIR, folder });
    client = new CacheClient(server.url);
    expect(await client.statusesOf(output)).toEqual(NOT_SERVED);
    expect(await client.statusesOf(fine)).toEqual(SERVED);
    rmSync(join(server.state, 'audit.jsonl'));
    expect(await client.statusesOf(fine)).toEqual([503, 503, 503, 503, 503, 503]);
  });
});
