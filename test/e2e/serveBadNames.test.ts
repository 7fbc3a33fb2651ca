import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { narWith, STORE_DIR } from '../admission/publication/cache.ts';
import type { CacheClient } from '../support/cacheClient.ts';
import { expectRefused, MisusedServer } from '../support/misusedServer.ts';
import { sha256 } from '../support/narUploads.ts';

const MiB = 1024 * 1024;

describe('nar-scan serve, with what leads elsewhere', () => {
  let misused: MisusedServer;
  let client: CacheClient;

  beforeAll(async () => {
    misused = await MisusedServer.start();
    ({ client } = misused);
  });
  afterEach(async () => await misused.expectUnharmed());
  afterAll(async () => await misused[Symbol.asyncDispose]());

  describe('a narinfo', () => {
    const withLine = (line: string) => (text: string) => text + line;
    const replaced = (name: string, value: string) => (text: string) =>
      text.replace(new RegExp(`^${name}: .*$`, 'm'), () => `${name}: ${value}`);

    it.each<[string, (text: string) => string]>([
      ['with another NarHash', replaced('NarHash', sha256(Buffer.from('another')))],
      ['with another FileHash', replaced('FileHash', sha256(Buffer.from('another')))],
      ['with another NarSize', replaced('NarSize', '1')],
      ['with a NarSize beyond all', replaced('NarSize', '99999999999999999999')],
      ['with another FileSize', replaced('FileSize', '1')],
      ['with another compression', replaced('Compression', 'xz')],
      ['with an unknown compression', replaced('Compression', 'rar')],
      ['without a compression, which means bzip2', (text) => text.replace(/^Compression: .*\n/m, '')],
      ['with a second URL', withLine('URL: nar/1.nar\n')],
      ['with a second NarHash', withLine(`NarHash: ${sha256(Buffer.from('x'))}\n`)],
      ['with a second StorePath', withLine('StorePath: /nix/store/x\n')],
      ['with second References', withLine('References: \n')],
      ['with a second CA', withLine('CA: fixed:r:sha256:x\nCA: fixed:r:sha256:y\n')],
      ['with a URL elsewhere', replaced('URL', 'http://evil.example/nar/x.nar')],
      ['with a URL of this machine', replaced('URL', 'file:///etc/passwd')],
      ['with a URL of another host', replaced('URL', '//evil.example/x.nar')],
      ['with a URL from the root', replaced('URL', '/nar/x.nar')],
      ['with a URL upwards', replaced('URL', '../nar/x.nar')],
      ['with a URL upwards in disguise', replaced('URL', 'nar/%2e%2e/x.nar')],
      ['with a NUL in its URL', replaced('URL', 'nar/x\0.nar')],
      ['with overlong UTF-8 in its URL', replaced('URL', 'nar/\xc0\xae\xc0\xae/x.nar')],
      ['with an unknown reference', replaced('References', `${'7'.repeat(32)}-nobody`)],
      ['with a reference upwards', replaced('References', '../../etc')],
      ['with the path of another hash part', replaced('StorePath', `${STORE_DIR}/${'7'.repeat(32)}-x`)],
      ['of another store', replaced('StorePath', `/elsewhere/store/${'7'.repeat(32)}-x`)],
      ['that does not end', (text) => text.trimEnd()],
      ['that is empty', () => ''],
      ['with a home where Nix knows nothing', withLine('Built: /home/noamyr/x\n')],
    ])('%s is refused', async (_, change) => {
      const output = misused.made();
      expect(await client.putNar(output)).toMatchObject({ status: 200 });
      const text = Buffer.from(change(output.narInfo.toString()), 'latin1');
      expectRefused(await client.put(output.narInfoName, [text], text.length), 400, 403, 422);
      await misused.expectUnseen(output);
      // and it takes nothing from the one that is right
      expect(await client.putNarInfo(output)).toMatchObject({ status: 200 });
    });

    it('of 100 MB is refused, told or not, packed or not', async () => {
      const output = misused.made();
      expect(await client.putNar(output)).toMatchObject({ status: 200 });
      const line = Buffer.from(`X: ${'x'.repeat(MiB - 4)}\n`);
      const lines = Array.from({ length: 100 }, () => line);
      const length = lines.reduce((sum, each) => sum + each.length, 0);
      expectRefused(await client.put(output.narInfoName, lines, length), 413);
      expectRefused(await client.put(output.narInfoName, lines, null), 413);
      const bomb = gzipSync(Buffer.alloc(100 * MiB));
      const packed = { 'content-encoding': 'gzip', 'content-length': bomb.length };
      expectRefused(await client.ask('PUT', output.narInfoName, [bomb], packed), 413);
      expectRefused(
        await client.ask('PUT', output.narInfoName, [Buffer.from('x')], { 'content-encoding': 'rar' }),
        400,
      );
      await misused.expectUnseen(output);
    });
  });

  it.each([
    'nar/../../etc/passwd',
    'nar/%2e%2e/%2e%2e/etc/passwd',
    'nar/..%2f..%2fetc%2fpasswd',
    'nar/%252e%252e/x.nar',
    '%2e%2e/catalog.sqlite',
    'log/%2e%2e/%2e%2e/catalog.sqlite',
    'nar/x%00.nar',
    'nar/\0.nar',
    'nar/\xc0\xae\xc0\xae/x.nar',
    'nar/%c0%ae%c0%ae/x.nar',
    'realisations/%c0%ae%c0%ae%2fx.doi',
    'debuginfo/..;/x',
    '.unfinished/x',
    './nix-cache-info',
    '/nix-cache-info',
    'nar//x.nar',
    'nar\\..\\x.nar',
  ])('a path that can be read in two ways leads nowhere: %j', async (path) => {
    const nar = narWith('x');
    expect([400, 404]).toContain((await misused.answerTo(misused.head('GET', path)))?.status);
    expect([400, 404]).toContain((await misused.answerTo(misused.head('HEAD', path)))?.status);
    expect([400, 404]).toContain(
      (await misused.answerTo(misused.head('PUT', path, { 'Content-Length': nar.length }), nar))?.status,
    );
  });

  it.each<[string, Parameters<MisusedServer['as']>[0], number]>([
    ['no token', null, 401],
    ['an unknown token', 'nst_unknown', 401],
    ['a token that may only read', 'read', 403],
    ['a token that may only review', 'review', 403],
  ])('who pushes with %s is refused before the body', async (_, token, status) => {
    const output = misused.made();
    for (const object of [output.narName, output.narInfoName]) {
      const answer = await misused.answerTo(
        misused.head('PUT', object, { 'Content-Length': 50_000_000 }, token),
      );
      expect(answer).toMatchObject({ status, reason: expect.stringMatching(/^nar-scan: ACCESS_/) });
      const body = Array.from({ length: 40 }, () => Buffer.alloc(MiB));
      expectRefused(await misused.as(token).put(object, body, 40 * MiB), status);
    }
    await misused.expectUnseen(output);
  });
});
