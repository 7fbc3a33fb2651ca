import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { narWith } from '../admission/publication/cache.ts';
import type { CacheClient, SentOutput } from '../support/cacheClient.ts';
import { expectRefused, MisusedServer } from '../support/misusedServer.ts';
import { narName } from '../support/narUploads.ts';
import { directoryNode, entry, file, narOfNode, node, raw, symlink, token } from '../support/narWriter.ts';

const MiB = 1024 * 1024;
const MOST_RSS = 512 * MiB;
const MAX_NAR = 96 * MiB;
/** A client may be silent in the first window, and is found to be slow at the end of the second one. */
const SLOW_MILLISECONDS = 90_000;

/** What the server must go on doing whatever comes, over real sockets. */
describe('nar-scan serve, with bad input', () => {
  let misused: MisusedServer;
  let client: CacheClient;
  /** An upload of less than 1 KB a second, begun with the first test. */
  let slow: Promise<unknown>;

  beforeAll(async () => {
    misused = await MisusedServer.start(`[admission]\nmax_nar = "${MAX_NAR}"\n`);
    ({ client } = misused);
    slow = slowUpload();
    slow.catch(() => undefined);
  });
  // but for the slow one's
  afterEach(async () => await misused.expectUnharmed(1));
  afterAll(async () => await misused[Symbol.asyncDispose]());

  async function slowUpload(): Promise<void> {
    using connection = await misused.connection();
    const output = misused.made();
    connection.send(misused.head('PUT', output.narName, { 'Content-Length': 1_000_000 }));
    const timer = setInterval(() => connection.send(randomBytes(500)), 1000);
    try {
      const answer = await connection.answer();
      expect(answer).toMatchObject({ status: 400, reason: expect.stringContaining('UPLOAD_SLOW') });
      await misused.expectUnseen(output);
    } finally {
      clearInterval(timer);
    }
  }

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
        const info = misused.made({ url: name, fileHash: null, fileSize: null }, bytes);
        expectRefused(await client.putNarInfo(info), 400, 422);
        await misused.expectUnseen(info);
      }
    });

    it('with overlong UTF-8 in its names is taken byte by byte', async () => {
      const output = misused.made({}, evil(entry('\xc0\xae\xc0\xae', x), entry('\xff', x)));
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
      const output = misused.made();
      expect(await client.put(output.narName, [output.nar], null)).toMatchObject({ status: 200 });
      expect(await client.putNarInfo(output)).toMatchObject({ status: 200 });
    });

    it('that is too much is refused before the body, and while it comes', async () => {
      const name = narName(Buffer.from('large'));
      const answer = await misused.answerTo(
        misused.head('PUT', name, { 'Content-Length': MAX_NAR + 1, Expect: '100-continue' }),
      );
      expect(answer).toMatchObject({ status: 413, reason: expect.stringContaining('UPLOAD_TOO_LARGE') });
      const block = randomBytes(MiB);
      const blocks = Array.from({ length: MAX_NAR / MiB + 2 }, () => block);
      expectRefused(await client.put(name, blocks, null), 413);
      expect((await client.get(name)).status).toBe(404);
    });

    it('that is more than what comes leaves nothing', async () => {
      const output = misused.made();
      using connection = await misused.connection();
      connection.send(
        misused.head('PUT', output.narName, { 'Content-Length': output.nar.length + 1 }),
        output.nar,
      );
      connection.socket.end();
      const answer = await connection.answer();
      expect([400, undefined]).toContain(answer?.status);
      await misused.expectUnseen(output);
      expectRefused(await client.putNarInfo(output), 422);
    });

    it('that is less than what comes cuts it off', async () => {
      const output = misused.made();
      const cut = misused.head('PUT', output.narName, { 'Content-Length': output.nar.length - 8 });
      expect(await misused.answerTo(cut, output.nar)).toMatchObject({ status: 400 });
      await misused.expectUnseen(output);
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
      const output = misused.made();
      const answer = await misused.answerTo(misused.head('PUT', output.narName, headers), output.nar);
      expect([400, 413, 501]).toContain(answer?.status);
      await misused.expectUnseen(output);
    });

    it.each(['zz\r\nhello\r\n', 'ffffffffffffffffff\r\n', '5\r\nhelloworld\r\n'])(
      'in chunks that are none is refused: %j',
      async (chunks) => {
        const output = misused.made();
        const answer = await misused.answerTo(
          misused.head('PUT', output.narName, { 'Transfer-Encoding': 'chunked' }),
          chunks,
        );
        expect([400, undefined]).toContain(answer?.status);
        await misused.expectUnseen(output);
      },
    );
  });

  it.each<[string, (output: SentOutput) => readonly (string | Buffer)[]]>([
    ['before it says anything', () => []],
    ['in its request line', () => ['PUT /nar/']],
    ['in its headers', ({ narName: name }) => [misused.head('PUT', name).slice(0, -2)]],
    [
      'before its body',
      ({ narName: name, nar }) => [misused.head('PUT', name, { 'Content-Length': nar.length })],
    ],
    [
      'when it waits to be asked for it',
      ({ narName: name, nar }) => [
        misused.head('PUT', name, { 'Content-Length': nar.length, Expect: '100-continue' }),
      ],
    ],
    [
      'in its body',
      ({ narName: name, nar }) => [
        misused.head('PUT', name, { 'Content-Length': nar.length }),
        nar.subarray(0, 99),
      ],
    ],
    [
      'in a chunk',
      ({ narName: name, nar }) => [
        misused.head('PUT', name, { 'Transfer-Encoding': 'chunked' }),
        '1000\r\n',
        nar.subarray(0, 99),
      ],
    ],
    [
      'between chunks',
      ({ narName: name }) => [
        misused.head('PUT', name, { 'Transfer-Encoding': 'chunked' }),
        '5\r\nhello\r\n',
      ],
    ],
    [
      'in a narinfo',
      ({ narInfoName, narInfo }) => [
        misused.head('PUT', narInfoName, { 'Content-Length': narInfo.length }),
        narInfo.subarray(0, 99),
      ],
    ],
    [
      'before it has its answer',
      ({ narName: name, nar }) => [misused.head('PUT', name, { 'Content-Length': nar.length }), nar],
    ],
  ])('a client that hangs up %s leaves nothing that anybody sees', async (_, sent) => {
    for (const how of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const output = misused.made();
      using connection = await misused.connection();
      connection.send(...sent(output));
      await expect.poll(() => connection.socket.writableLength).toBe(0);
      connection.socket[how]();
      await misused.expectUnseen(output);
      expect(await client.upload(output)).toMatchObject({ status: 200 });
    }
  });

  it('headers without end, and what is no HTTP, are answered once', async () => {
    expect((await misused.answerTo(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(10_000)}`))?.status).toBe(431);
    expect((await misused.answerTo('\x16\x03\x01\x02\0\x01\0'))?.status).toBe(400);
    expect((await misused.answerTo('GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n'))?.status).toBe(400);
  });

  it(
    'a body slower than 1 KB/s is refused',
    async () => {
      await slow;
    },
    SLOW_MILLISECONDS,
  );

  it('has needed no more memory than it may, lost nothing, and kept nothing', async ({ annotate }) => {
    const status = readFileSync(`/proc/${misused.server.child.pid}/status`, 'utf8');
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    await annotate(`at most ${Math.round(peak / MiB)} MiB`);
    expect(peak).toBeLessThan(MOST_RSS);
    const output = misused.made();
    expect(await client.upload(output)).toMatchObject({ status: 200 });
    expect((await client.get(output.narName)).body.equals(output.nar)).toBe(true);
    await misused.expectUnharmed();
  });
});

/** So many directories in each other. */
function nested(depth: number): Buffer {
  return depth === 0 ? node(file('x')) : directoryNode(entry('d', nested(depth - 1)));
}
