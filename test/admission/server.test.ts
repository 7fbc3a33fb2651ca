import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCacheServer } from '../../src/admission/server.ts';
import { fingerprint, generateSecretKey, secretKeyText, signText } from '../../src/nix/signature.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';
import { CacheClient, SentOutput } from '../support/cacheClient.ts';
import { narWith, pathOf, STORE_DIR } from './publication/cache.ts';

describe('a server that lets everybody do everything', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-open-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('never signs, whatever it is given', async () => {
    const [builder, own] = [generateSecretKey('builder-1'), generateSecretKey('cache-1')];
    const signKey = join(folder, 'key');
    writeFileSync(signKey, secretKeyText(own), { mode: 0o600 });
    const admission = { ...BUILT_IN_POLICY.admission, trustedKeys: [builder.publicText] };
    const server = await openCacheServer({
      settings: {
        state: folder,
        storeDir: STORE_DIR,
        policy: { ...BUILT_IN_POLICY, admission },
        hostHomes: false,
        publicUrl: null,
        scans: 1,
        dryRun: false,
        version: '0',
      },
      listen: { host: '127.0.0.1', port: 0 },
      storage: `file://${folder}/storage`,
      tokens: null,
      noAuth: true,
      signKey,
      environment: { NAR_SCAN_STATE: folder },
      log: pino({ level: 'silent' }),
    });
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
});
