import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NarInfo } from '../../src/nix/narinfo.ts';
import { narWith, STORE_DIR } from '../admission/publication/cache.ts';
import { type Answered, CacheClient, RawConnection, SentOutput } from '../support/cacheClient.ts';
import { CacheServer } from '../support/cacheServer.ts';
import { newStorePath } from '../support/killedUploads.ts';
import { narScan } from '../support/narScan.ts';
import { narName, sha256 } from '../support/narUploads.ts';
import { directoryNode, entry, narOfNode, node, file, symlink, token, raw } from '../support/narWriter.ts';

const MiB = 1024 * 1024;
const MOST_RSS = 512 * MiB;
const MAX_NAR = 96 * MiB;
/** A client may be silent in the first window, and is found to be slow at the end of the second one. */
const SLOW_MILLISECONDS = 90_000;

/** What the server must go on doing whatever comes, over real sockets. */
describe('nar-scan serve, with bad input', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-bad-input-'));
  const tokens = join(folder, 'tokens.toml');
  const secrets: Record<string, string> = {};
  let server: CacheServer;
  /** Pushes and reads. */
  let client: CacheClient;
  /** An upload of less than 1 KB a second, begun with the first test. */
  let slow: Promise<unknown>;

  const bearer = (name: string) => ({ authorization: `Bearer ${secrets[name]}` });

  beforeAll(async () => {
    const policy = join(folder, 'policy.toml');
    writeFileSync(policy, `[admission]\nmax_nar = "${MAX_NAR}"\n`);
    let entries = '';
    for (const scope of ['push,read', 'read', 'review']) {
      const made = narScan(['token', 'new', '--name', scope.replace(',', '-'), '--scope', scope]);
      secrets[scope] = /nst_[A-Za-z0-9_-]+/.exec(made.stderr)?.[0] ?? '';
      entries += made.stdout;
    }
    writeFileSync(tokens, entries, { mode: 0o600 });
    const args = ['--home', '/home/noamyr', '--tokens', tokens, '--policy', policy];
    server = await CacheServer.start({ storeDir: STORE_DIR, folder, args });
    client = new CacheClient(server.url, bearer('push,read'));
    slow = slowUpload();
    slow.catch(() => undefined);
  });
  afterEach(async () => {
    // but for the slow one's
    await expect.poll(() => readdirSync(join(server.state, 'spool')).length).toBeLessThanOrEqual(1);
    expect(server.child.exitCode ?? server.child.signalCode).toBeNull();
    expect(server.log()).not.toContain('INTERNAL');
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const made = (change: Partial<NarInfo> = {}, nar = narWith(randomBytes(20).toString('hex'))): SentOutput =>
    new SentOutput(nar, newStorePath(STORE_DIR, 'made'), change);

  const expectUnseen = async ({ narInfoName, narName: name, hashPart }: SentOutput): Promise<void> => {
    for (const object of [narInfoName, name, `${hashPart}.ls`, `api/v1/verdict/${hashPart}`]) {
      for (const method of ['GET', 'HEAD'])
        expect([object, (await client.ask(method, object)).status]).toEqual([object, 404]);
    }
  };

  /** One final line that fits where clients show it. */
  const expectRefused = ({ status, reason, body }: Answered, ...statuses: readonly number[]): void => {
    expect([reason, statuses]).toEqual([reason, expect.arrayContaining([status])]);
    expect(reason).toMatch(/^nar-scan: [ -~]{5,989}$/);
    expect(body.toString()).toBe(`${reason}\n`);
  };

  async function slowUpload(): Promise<void> {
    using connection = await RawConnection.open(server.url);
    const output = made();
    connection.send(head('PUT', output.narName, { 'Content-Length': 1_000_000 }));
    const timer = setInterval(() => connection.send(randomBytes(500)), 1000);
    try {
      const answer = await connection.answer();
      expect(answer).toMatchObject({ status: 400, reason: expect.stringContaining('UPLOAD_SLOW') });
      await expectUnseen(output);
    } finally {
      clearInterval(timer);
    }
  }

  const head = (
    method: string,
    name: string,
    headers: Readonly<Record<string, string | number>> = {},
    token_ = 'push,read',
  ): string => {
    const lines = { Host: 'cache', Authorization: bearer(token_).authorization, ...headers };
    const text = Object.entries(lines).map(([key, value]) => `${key}: ${value}\r\n`);
    return `${method} /${name} HTTP/1.1\r\n${text.join('')}\r\n`;
  };

  /** The answer to bytes as they are. @returns null: the connection was ended without one */
  const rawly = async (...pieces: readonly (string | Uint8Array)[]) => {
    using connection = await RawConnection.open(server.url);
    connection.send(...pieces);
    return await connection.answer();
  };

  describe('a NAR', () => {
    const NAR = narWith('a NAR');
    const zstd = zstdCompressSync(NAR);
    const evil = (...entries: readonly Buffer[]): Buffer => narOfNode(directoryNode(...entries));
    const x = node(file('x'));

    it.each<[string, number, Buffer, string?]>([
      ['of another hash', 400, NAR, narName(Buffer.from('another'))],
      ['packed otherwise than its name says', 400, zstd, narName(zstd, '.xz')],
      ['with a name that nobody has', 400, NAR, narName(NAR, '.rar')],
      ['that ends too early', 422, NAR.subarray(0, -8)],
      ['that goes on behind its end', 422, Buffer.concat([NAR, Buffer.alloc(8)])],
      ['packed, that ends too early', 422, zstd.subarray(0, -4)],
      ['packed, with something behind it', 422, Buffer.concat([zstd, Buffer.from('more')])],
      ['that is empty', 422, Buffer.alloc(0)],
      ['that is none', 422, Buffer.from('<html>')],
      ['packed by lzop', 422, Buffer.from('\x89LZO\0\r\n\x1a\n and more', 'latin1')],
      ['with an entry ..', 422, evil(entry('..', x))],
      ['with an entry .', 422, evil(entry('.', x))],
      ['with an empty name', 422, evil(entry('', x))],
      ['with a slash in a name', 422, evil(entry('a/../../b', x))],
      ['with a NUL in a name', 422, evil(entry('a\0b', x))],
      ['with a NUL in a link', 422, narOfNode(node(symlink('a\0b')))],
      ['with one name twice', 422, evil(entry('a', x), entry('a', x))],
      ['with names out of order', 422, evil(entry('b', x), entry('a', x))],
      [
        'with a length of 2^63',
        422,
        raw('nix-archive-1', '(', 'type', 'regular', 'contents', Buffer.alloc(8, 0x80)),
      ],
      [
        'with padding that is not zero',
        422,
        Buffer.concat([raw('nix-archive-1', '(', 'type', 'regular', 'contents'), token('x', 1), raw(')')]),
      ],
      ['with a home in it', 403, narWith('/home/noamyr/src/x.c')],
      ['of 64 directories in each other', 422, narOfNode(nested(64))],
    ])('%s: %i', async (_, status, bytes, name = narName(bytes)) => {
      for (let round = 0; round < 2; round++) {
        expectRefused(await client.put(name, [bytes], bytes.length), status);
        expect((await client.get(name)).status).toBe(404);
        const info = made({ url: name, fileHash: null, fileSize: null }, bytes);
        expectRefused(await client.putNarInfo(info), 400, 422);
        await expectUnseen(info);
      }
    });

    it('with overlong UTF-8 in its names is taken byte by byte', async () => {
      const output = made({}, evil(entry('\xc0\xae\xc0\xae', x), entry('\xff', x)));
      expect(await client.upload(output)).toMatchObject({ status: 200 });
      expect((await client.get(output.narName)).body.equals(output.nar)).toBe(true);
      // no JSON can say them
      expect((await client.get(`${output.hashPart}.ls`)).status).toBe(404);
    });

    it('that unpacks to more than anybody sends is refused, whatever its length says', async () => {
      const block = zstdCompressSync(Buffer.alloc(64 * MiB));
      const start = raw('nix-archive-1', '(', 'type', 'regular', 'contents');
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(400 * 64 * MiB));
      const bomb = Buffer.concat([
        zstdCompressSync(Buffer.concat([start, length])),
        ...Array.from({ length: 400 }, () => block),
      ]);
      const name = narName(bomb, '.zst');
      expectRefused(await client.put(name, [bomb], bomb.length), 422);
      expect((await client.get(name)).status).toBe(404);
    });
  });

  describe('the length of a body', () => {
    it('need not be told', async () => {
      const output = made();
      expect(await client.put(output.narName, [output.nar], null)).toMatchObject({ status: 200 });
      expect(await client.putNarInfo(output)).toMatchObject({ status: 200 });
    });

    it('that is too much is refused before the body, and while it comes', async () => {
      const name = narName(Buffer.from('large'));
      const answer = await rawly(
        head('PUT', name, { 'Content-Length': MAX_NAR + 1, Expect: '100-continue' }),
      );
      expect(answer).toMatchObject({ status: 413, reason: expect.stringContaining('UPLOAD_TOO_LARGE') });
      const block = randomBytes(MiB);
      const blocks = Array.from({ length: MAX_NAR / MiB + 2 }, () => block);
      expectRefused(await client.put(name, blocks, null), 413);
      expect((await client.get(name)).status).toBe(404);
    });

    it('that is more than what comes leaves nothing', async () => {
      const output = made();
      using connection = await RawConnection.open(server.url);
      connection.send(head('PUT', output.narName, { 'Content-Length': output.nar.length + 1 }), output.nar);
      connection.socket.end();
      const answer = await connection.answer();
      expect([400, undefined]).toContain(answer?.status);
      await expectUnseen(output);
      expectRefused(await client.putNarInfo(output), 422);
    });

    it('that is less than what comes cuts it off', async () => {
      const output = made();
      const cut = head('PUT', output.narName, { 'Content-Length': output.nar.length - 8 });
      expect(await rawly(cut, output.nar)).toMatchObject({ status: 400 });
      await expectUnseen(output);
    });

    it.each<[string, Record<string, string>]>([
      ['negative', { 'Content-Length': '-1' }],
      ['no number', { 'Content-Length': 'many' }],
      ['beyond 64 bits', { 'Content-Length': '18446744073709551617' }],
      ['beyond all files', { 'Content-Length': '9999999999999999' }],
      ['told twice', { 'Content-Length': '8', 'content-length': '9' }],
      ['told in two ways', { 'Content-Length': '8', 'Transfer-Encoding': 'chunked' }],
      ['in an unknown coding', { 'Transfer-Encoding': 'gzip' }],
    ])('%s is refused', async (_, headers) => {
      const output = made();
      const answer = await rawly(head('PUT', output.narName, headers), output.nar);
      expect([400, 413, 501]).toContain(answer?.status);
      await expectUnseen(output);
    });

    it.each(['zz\r\nhello\r\n', 'ffffffffffffffffff\r\n', '5\r\nhelloworld\r\n'])(
      'in chunks that are none is refused: %j',
      async (chunks) => {
        const output = made();
        const answer = await rawly(head('PUT', output.narName, { 'Transfer-Encoding': 'chunked' }), chunks);
        expect([400, undefined]).toContain(answer?.status);
        await expectUnseen(output);
      },
    );
  });

  it.each<[string, (output: SentOutput) => readonly (string | Buffer)[]]>([
    ['before it says anything', () => []],
    ['in its request line', () => ['PUT /nar/']],
    ['in its headers', ({ narName: name }) => [head('PUT', name).slice(0, -2)]],
    ['before its body', ({ narName: name, nar }) => [head('PUT', name, { 'Content-Length': nar.length })]],
    [
      'when it waits to be asked for it',
      ({ narName: name, nar }) => [
        head('PUT', name, { 'Content-Length': nar.length, Expect: '100-continue' }),
      ],
    ],
    [
      'in its body',
      ({ narName: name, nar }) => [head('PUT', name, { 'Content-Length': nar.length }), nar.subarray(0, 99)],
    ],
    [
      'in a chunk',
      ({ narName: name, nar }) => [
        head('PUT', name, { 'Transfer-Encoding': 'chunked' }),
        '1000\r\n',
        nar.subarray(0, 99),
      ],
    ],
    [
      'between chunks',
      ({ narName: name }) => [head('PUT', name, { 'Transfer-Encoding': 'chunked' }), '5\r\nhello\r\n'],
    ],
    [
      'in a narinfo',
      ({ narInfoName, narInfo }) => [
        head('PUT', narInfoName, { 'Content-Length': narInfo.length }),
        narInfo.subarray(0, 99),
      ],
    ],
    [
      'before it has its answer',
      ({ narName: name, nar }) => [head('PUT', name, { 'Content-Length': nar.length }), nar],
    ],
  ])('a client that hangs up %s leaves nothing that anybody sees', async (_, sent) => {
    for (const how of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const output = made();
      using connection = await RawConnection.open(server.url);
      connection.send(...sent(output));
      await expect.poll(() => connection.socket.writableLength).toBe(0);
      connection.socket[how]();
      await expectUnseen(output);
      expect(await client.upload(output)).toMatchObject({ status: 200 });
    }
  });

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
      const output = made();
      expect(await client.putNar(output)).toMatchObject({ status: 200 });
      const text = Buffer.from(change(output.narInfo.toString()), 'latin1');
      expectRefused(await client.put(output.narInfoName, [text], text.length), 400, 403, 422);
      await expectUnseen(output);
      // and it takes nothing from the one that is right
      expect(await client.putNarInfo(output)).toMatchObject({ status: 200 });
    });

    it('of 100 MB is refused, told or not, packed or not', async () => {
      const output = made();
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
      await expectUnseen(output);
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
    expect([400, 404]).toContain((await rawly(head('GET', path)))?.status);
    expect([400, 404]).toContain((await rawly(head('HEAD', path)))?.status);
    expect([400, 404]).toContain(
      (await rawly(head('PUT', path, { 'Content-Length': nar.length }), nar))?.status,
    );
  });

  it.each<[string, string | null, number]>([
    ['no token', null, 401],
    ['an unknown token', 'nst_unknown', 401],
    ['a token that may only read', 'read', 403],
    ['a token that may only review', 'review', 403],
  ])('who pushes with %s is refused before the body', async (_, name, status) => {
    const output = made();
    const authorization = name === null ? [] : [`Authorization: Bearer ${secrets[name] ?? name}`];
    for (const object of [output.narName, output.narInfoName]) {
      const lines = [`PUT /${object} HTTP/1.1`, 'Host: cache', 'Content-Length: 50000000', ...authorization];
      const answer = await rawly(`${lines.join('\r\n')}\r\n\r\n`);
      expect(answer).toMatchObject({ status, reason: expect.stringMatching(/^nar-scan: ACCESS_/) });
      const other = new CacheClient(
        server.url,
        name === null ? {} : { authorization: `Bearer ${secrets[name] ?? name}` },
      );
      const body = Array.from({ length: 40 }, () => Buffer.alloc(MiB));
      expectRefused(await other.put(object, body, 40 * MiB), status);
    }
    await expectUnseen(output);
  });

  it('headers without end, and what is no HTTP, are answered once', async () => {
    expect((await rawly(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(10_000)}`))?.status).toBe(431);
    expect((await rawly('\x16\x03\x01\x02\0\x01\0'))?.status).toBe(400);
    expect((await rawly('GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n'))?.status).toBe(400);
  });

  it(
    'a body slower than 1 KB/s is refused',
    async () => {
      await slow;
    },
    SLOW_MILLISECONDS,
  );

  it('has needed no more memory than it may, lost nothing, and kept nothing', async () => {
    const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    expect(peak).toBeLessThan(MOST_RSS);
    const output = made();
    expect(await client.upload(output)).toMatchObject({ status: 200 });
    expect((await client.get(output.narName)).body.equals(output.nar)).toBe(true);
    await expect.poll(() => readdirSync(join(server.state, 'spool'))).toEqual([]);
    expect(server.log()).not.toContain('"level":50');
  });
});

/** So many directories in each other. */
function nested(depth: number): Buffer {
  return depth === 0 ? node(file('x')) : directoryNode(entry('d', nested(depth - 1)));
}
