import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { NarScanError } from '../../../src/model/errors.ts';
import { drained, type Parts, PUBLISHED, TestServer } from './support.ts';

let server: TestServer;
afterEach(async () => await server[Symbol.asyncDispose]());
const start = async (parts: Parts = {}): Promise<TestServer> => (server = await TestServer.start(parts));

const NAR = `nar/${'1'.repeat(52)}.nar.xz`;
const HUGE = 40 * 1024 * 1024;

describe('uploads', () => {
  it('answers in the reason phrase and in the body', async () => {
    await start({
      uploads: {
        put: async (_, body) => {
          await drained(body);
          return { status: 403, line: "nar-scan: lib/x: '/home/noamyr' leaks" };
        },
      },
    });
    const answer = await fetch(`${server.url}/${NAR}`, { method: 'PUT', body: 'x' });
    expect([answer.status, answer.statusText]).toEqual([403, "nar-scan: lib/x: '/home/noamyr' leaks"]);
    expect(await answer.text()).toBe("nar-scan: lib/x: '/home/noamyr' leaks\n");
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('gives the body on as it comes, whatever its type', async () => {
    const seen: unknown[] = [];
    await start({
      uploads: {
        put: async (name, body) => {
          seen.push(name, body.length, body.encoding, await drained(body));
          return { status: 200, line: 'ok' };
        },
      },
    });
    for (const type of ['application/x-nix-nar', 'application/json', 'text/plain', '']) {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
      const answer = await fetch(`${server.url}/${NAR}`, {
        method: 'PUT',
        body: Buffer.alloc(HUGE),
        headers,
      });
      expect(answer.status).toBe(200);
      expect(seen.splice(0)).toEqual([NAR, HUGE, null, HUGE]);
    }
    const headers = { 'content-encoding': 'XZ', 'transfer-encoding': 'chunked' };
    const sent = request(`${server.url}/${NAR}`, { method: 'PUT', headers });
    sent.end('abc');
    await once(sent, 'response');
    expect(seen).toEqual([NAR, null, 'xz', 3]);
  });

  it('asks for the body only where it is wanted', async () => {
    let known = true;
    await start({
      uploads: {
        before: async () => (known ? { status: 403, line: 'known to be bad' } : null),
        put: async (_, body) => ({ status: 200, line: `${await drained(body)} bytes` }),
      },
    });
    const head = `PUT /${NAR} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`;
    const early = await server.raw(head, (text) => text.includes('known to be bad\n'));
    expect(early).toMatch(/^HTTP\/1\.1 403 known to be bad\r\n/);
    known = false;
    const socket = await server.connection();
    socket.write(head);
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('abc');
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(second.toString()).toMatch(/^HTTP\/1\.1 200 3 bytes\r\n/);
    socket.destroy();
  });

  it('is asked who sends before anything else, and asks for no body of nobody', async () => {
    await start();
    const head = `PUT /${NAR} HTTP/1.1\r\nHost: x\r\nX-Refused: 1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`;
    const answer = await server.raw(head, (text) => text.includes('you?\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 401 nar-scan: who are you\?\r\n/);
    expect(answer.toLowerCase()).toContain('www-authenticate: basic');
  });

  it.each([
    ['HTTP/1.1\r\nHost: x'],
    // as proxies ask, unless they are told otherwise
    ['HTTP/1.1\r\nHost: x\r\nConnection: close'],
    ['HTTP/1.0'],
  ])('lets a client that sends all before it reads come to the answer: %j', async (version) => {
    await start({ uploads: { before: async () => ({ status: 403, line: 'early' }) } });
    const head = `PUT /${NAR} ${version}\r\nContent-Length: ${HUGE}\r\n\r\n`;
    const socket = await server.connection();
    socket.pause();
    socket.write(head);
    for (let sent = 0; sent < HUGE; sent += 1024 * 1024) {
      if (!socket.write(Buffer.alloc(1024 * 1024))) await once(socket, 'drain');
    }
    await pause(50);
    socket.resume();
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 403 early\r\n/);
    if (!version.endsWith('x')) await once(socket, 'close');
    socket.destroy();
  });

  it('does not read what nobody wants for ever', async () => {
    await start({ uploads: { before: async () => ({ status: 403, line: 'early' }) } });
    const socket = await server.connection();
    let sent = 0;
    socket.setMaxListeners(0);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(`PUT /${NAR} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n`);
    const piece = Buffer.alloc(1024 * 1024);
    while (!socket.destroyed && sent < 2048) {
      sent++;
      if (!socket.write(piece))
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => 0);
    }
    expect(sent).toBeLessThan(2048);
  });

  it('says nothing of what went wrong inside', async () => {
    await start({
      uploads: {
        put: async () => {
          throw new TypeError('secret');
        },
      },
    });
    const answer = await fetch(`${server.url}/${NAR}`, { method: 'PUT', body: 'x' });
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).toMatch(/^nar-scan: INTERNAL: [ -~]*\n$/);
    expect(text).not.toContain('secret');
    expect(JSON.stringify(server.lines)).toContain('secret');
  });
});

describe('what is served', () => {
  const bytes = Buffer.from('0123456789');
  const parts: Parts = {
    catalog: {
      published: async (hashPart) => (hashPart === PUBLISHED.hashPart ? PUBLISHED : null),
      publishedNar: async (name) => (name === PUBLISHED.narName ? PUBLISHED : null),
    },
    storage: {
      get: async (_, range) => ({
        stream: Readable.from([bytes.subarray(range?.start ?? 0, range?.end ?? bytes.length)]),
        size: bytes.length,
      }),
      size: async () => bytes.length,
    },
  };
  const get = async (path: string, init: RequestInit = {}): Promise<Response> =>
    await fetch(`${server.url}/${path}`, init);

  it('tells of the cache', async () => {
    await start(parts);
    const answer = await get('nix-cache-info');
    expect(await answer.text()).toBe('StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 40\n');
    expect(answer.headers.get('content-type')).toBe('text/x-nix-cache-info');
  });

  it('serves narinfos with a tag', async () => {
    await start(parts);
    const path = `${PUBLISHED.hashPart}.narinfo`;
    const answer = await get(path);
    expect(await answer.text()).toBe(PUBLISHED.narInfo);
    expect(answer.headers.get('content-type')).toBe('text/x-nix-narinfo');
    expect(answer.headers.get('cache-control')).toBe('max-age=60');
    const tag = answer.headers.get('etag') ?? '';
    const again = await get(path, { headers: { 'if-none-match': tag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const head = await get(path, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, `${PUBLISHED.narInfo.length}`]);
  });

  it('asks caches that know nothing of tokens to keep nothing that takes one', async () => {
    await start({ ...parts, anonymousRead: false });
    for (const path of ['nix-cache-info', `${PUBLISHED.hashPart}.narinfo`, PUBLISHED.narName]) {
      const answer = await get(path);
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'private, max-age=60']);
      const headers = { 'if-none-match': answer.headers.get('etag') ?? '"1"' };
      const again = await get(path, { headers });
      expect([again.status, again.headers.get('cache-control')]).toEqual([304, 'private, max-age=60']);
    }
    const none = await get(`${'0'.repeat(32)}.narinfo`);
    expect([none.status, none.headers.get('cache-control')]).toEqual([404, 'no-store']);
    const beyond = await get(PUBLISHED.narName, { headers: { range: 'bytes=10-' } });
    expect([beyond.status, beyond.headers.get('cache-control')]).toEqual([416, 'no-store']);
  });

  it('serves NARs, in parts as well', async () => {
    await start(parts);
    const answer = await get(PUBLISHED.narName);
    expect(await answer.text()).toBe('0123456789');
    expect(answer.headers.get('content-type')).toBe('application/x-nix-nar');
    expect(answer.headers.get('etag')).toBe(`"${'1'.repeat(52)}"`);
    expect(answer.headers.get('accept-ranges')).toBe('bytes');
    // it may be denied, and no cache is to go on with it
    expect(answer.headers.get('cache-control')).toBe('max-age=60');
    for (const method of ['GET', 'HEAD']) {
      const headers = { 'if-none-match': answer.headers.get('etag') ?? '' };
      const again = await get(PUBLISHED.narName, { method, headers });
      expect([again.status, again.headers.get('cache-control')]).toEqual([304, 'max-age=60']);
    }
    const part = await get(PUBLISHED.narName, { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
    ]);
    const beyond = await get(PUBLISHED.narName, { headers: { range: 'bytes=10-' } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    const other = await get(PUBLISHED.narName, { headers: { range: 'bytes=2-4', 'if-range': '"other"' } });
    expect([other.status, await other.text()]).toEqual([200, '0123456789']);
    const head = await get(PUBLISHED.narName, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
  });

  it('knows nothing of what is not published', async () => {
    await start(parts);
    for (const path of [
      NAR.replaceAll('1', '2'),
      `${'0'.repeat(32)}.narinfo`,
      `${'0'.repeat(32)}.ls`,
      'log/x',
      '',
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await get(path, { method, headers: { 'if-none-match': '*' } });
        expect([path, method, answer.status, answer.headers.get('cache-control')]).toEqual([
          path,
          method,
          404,
          'no-store',
        ]);
      }
    }
  });

  it.each([
    [false, 200],
    [true, 404],
  ])('serves the listing of a path that was inspected (not: %s)', async (isUninspected, status) => {
    await start({ ...parts, catalog: { published: async () => ({ ...PUBLISHED, isUninspected }) } });
    for (const method of ['GET', 'HEAD'])
      expect((await get(`${PUBLISHED.hashPart}.ls`, { method })).status).toBe(status);
  });

  it('says of a NAR that the storage has lost that it is not there, so that clients send it again', async () => {
    await start({ ...parts, storage: { get: async () => null, size: async () => null } });
    for (const method of ['GET', 'HEAD']) expect((await get(PUBLISHED.narName, { method })).status).toBe(404);
    expect(server.lost).toEqual([PUBLISHED.narName, PUBLISHED.narName]);
  });

  it('serves nothing to those who may not read', async () => {
    await start(parts);
    for (const path of ['nix-cache-info', PUBLISHED.narName, 'nothing']) {
      expect((await get(path, { headers: { 'x-refused': '1' } })).status).toBe(401);
    }
    expect((await get('healthz', { headers: { 'x-refused': '1' } })).status).toBe(200);
  });

  it('answers 503 where the storage fails', async () => {
    const storage = {
      get: async () => {
        throw new NarScanError('STORAGE_FAILED', 'upstream is down');
      },
    };
    await start({ ...parts, storage });
    expect((await get(PUBLISHED.narName)).status).toBe(503);
  });

  it('breaks off what the storage breaks off', async () => {
    const stream = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 3);
        await pause(20);
        throw new Error('gone');
      })(),
    );
    await start({ ...parts, storage: { get: async () => ({ stream, size: bytes.length }) } });
    await expect(get(PUBLISHED.narName).then(async (answer) => await answer.text())).rejects.toThrow();
  });
});

describe('other requests', () => {
  it.each(['DELETE', 'POST', 'PATCH', 'OPTIONS'])('%s is not for a cache', async (method) => {
    await start();
    const answer = await fetch(`${server.url}/${NAR}`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT']);
    const health = await fetch(`${server.url}/healthz`, { method });
    expect([health.status, health.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`${server.url}/nowhere`, { method })).status).toBe(404);
  });

  it.each([
    '/nar/../nix-cache-info',
    '/%6eix-cache-info',
    '/nar/%2e%2e/nix-cache-info',
    '//nix-cache-info',
    '/nix-cache-info%00',
    '/nix-cache-info%zz',
    '/nar/%c0%ae%c0%ae',
    'http://other/nix-cache-info',
    '*',
    '/.',
  ])('%s reaches nothing', async (target) => {
    await start();
    for (const method of ['GET', 'PUT']) {
      const head = `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
      expect(await server.raw(head), method).toMatch(/^HTTP\/1\.1 40[04] /);
    }
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['two lengths', 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'a length and chunks',
      'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['a negative length', 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
    ['a NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ])('%s is refused in one line', async (_, text, status) => {
    await start();
    expect(await server.raw(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('tells how it is, and what is missing in a word only', async () => {
    const down = { name: 'storage', check: () => Promise.reject(new Error('the secret host is down')) };
    await start({ needs: [down, { name: 'disk', check: () => undefined }] });
    expect(await (await fetch(`${server.url}/healthz`)).text()).toBe('ok\n');
    const answer = await fetch(`${server.url}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([503, 'not ready: storage\n']);
  });
});

it.each([
  ['/review/', '/review'],
  ['//', '/'],
  ['//evil.example/', '/evil.example'],
  ['/api//v1/keys/?x=1', '/api/v1/keys?x=1'],
])('leads on whoever types slashes too many: %s', async (target, meant) => {
  await start();
  for (const method of ['GET', 'HEAD']) {
    const answer = await server.raw(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 302 /);
    expect(/^location: (.*)\r$/m.exec(answer)?.[1]).toBe(meant);
  }
  const head = `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
  expect(await server.raw(head)).toMatch(/^HTTP\/1\.1 404 /);
});

it('shows the way to whoever looks what is there', async () => {
  await start();
  const answer = await fetch(`${server.url}/`);
  expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('/review')]);
});

describe('the log', () => {
  it('tells of each request, without what lets people in', async () => {
    await start();
    const headers = { authorization: 'Bearer nst_secret', cookie: 'secret' };
    await fetch(`${server.url}/nix-cache-info?token=secret`, { headers });
    await fetch(`${server.url}/nothing`, { headers });
    await pause(20);
    expect(JSON.stringify(server.lines)).not.toContain('secret');
    expect(server.lines).toMatchObject([
      { by: 'everybody', method: 'GET', path: '/nix-cache-info', status: 200 },
      {
        by: 'everybody',
        method: 'GET',
        path: '/nothing',
        status: 404,
        line: 'nar-scan: there is no such thing here',
      },
    ]);
  });

  it('has paths as they were asked for', async () => {
    await start();
    await server.raw('GET /nar/../x?secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(server.lines).toMatchObject([{ path: '/nar/../x', status: 404 }]);
  });

  it('tells of a client that was gone before it was answered', async () => {
    await start({ uploads: { put: async () => await new Promise(() => undefined) } });
    const socket = await server.connection();
    socket.write(`PUT /${NAR} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na`);
    await pause(50);
    socket.destroy();
    await expect.poll(() => server.lines).toMatchObject([{ method: 'PUT', path: `/${NAR}`, status: null }]);
  });
});
