import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheServer, openCacheServer } from '../../src/admission/server.ts';
import { fingerprint, generateSecretKey, secretKeyText, signText } from '../../src/nix/signature.ts';
import { BUILT_IN_POLICY, type Policy } from '../../src/policy/policy.ts';
import { CacheClient, SentOutput } from '../support/cacheClient.ts';
import { serverSettings } from '../support/serverSettings.ts';
import { narWith, pathOf, STORE_DIR } from './publication/cache.ts';

let folder: string;

/** @param changes of what is built in for the admission */
async function started(
  state: string,
  changes: Partial<Policy['admission']> = {},
  signKey: string | null = null,
): Promise<CacheServer> {
  return await openCacheServer({
    settings: serverSettings(state, {
      storeDir: STORE_DIR,
      policy: { ...BUILT_IN_POLICY, admission: { ...BUILT_IN_POLICY.admission, ...changes } },
    }),
    listen: { host: '127.0.0.1', port: 0 },
    storage: `file://${folder}/storage`,
    tokens: null,
    noAuth: true,
    signKey,
    environment: { NAR_SCAN_STATE: state },
    log: pino({ level: 'silent' }),
  });
}

describe('a server', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-open-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('that lets everybody do everything never signs, whatever it is given', async () => {
    const [builder, own] = [generateSecretKey('builder-1'), generateSecretKey('cache-1')];
    const signKey = join(folder, 'key');
    writeFileSync(signKey, secretKeyText(own), { mode: 0o600 });
    const server = await started(folder, { trustedKeys: [builder.publicText] }, signKey);
    try {
      const client = new CacheClient(server.address);
      const unsigned = new SentOutput(narWith('a'), pathOf('a'));
      const signature = signText(builder, fingerprint(unsigned.info));
      const output = new SentOutput(unsigned.nar, unsigned.storePath, { signatures: [signature] });
      expect((await client.upload(output)).status).toBe(200);
      const narInfo = (await client.get(output.narInfoName)).body.toString();
      expect(narInfo.match(/^Sig: .*$/gm)).toEqual([`Sig: ${signature}`]);
      expect(JSON.parse((await client.get('api/v1/keys')).body.toString())).toMatchObject({ signing: null });
    } finally {
      await server.stop();
    }
  });

  it('keeps what it received when its state is named over a link the next time', async () => {
    const state = join(folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    symlinkSync(state, join(folder, 'link'));
    const output = new SentOutput(narWith('a'), pathOf('a'));
    const first = await started(join(folder, 'link'));
    expect((await new CacheClient(first.address).putNar(output)).status).toBe(200);
    await first.stop();
    const second = await started(state);
    try {
      const client = new CacheClient(second.address);
      expect((await client.putNarInfo(output)).status).toBe(200);
    } finally {
      await second.stop();
    }
  });
});
