import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openStorage } from '../../../src/admission/storage/open.ts';
import { UpstreamStorage } from '../../../src/admission/storage/upstream.ts';
import { needs } from '../../support/programs.ts';
import { bytesOf, storageContract } from './contract.ts';

const SECRET = 'hunter2';
let server: Server;
let connections = 0;

/** Answers as `listener` does. @returns where */
async function serve(listener: RequestListener): Promise<URL> {
  connections = 0;
  server = createServer(listener).on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`);
}

async function stop(): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** An upstream as it should be. @param ranges whether it knows of parts */
function keeper(ranges: boolean): RequestListener {
  const objects = new Map<string, Buffer>();
  const answer = async (
    request: IncomingMessage,
  ): Promise<readonly [number, Record<string, string>, Buffer]> => {
    const name = request.url ?? '';
    if (request.method === 'PUT') {
      const bytes = await bytesOf(request);
      if (request.headers['content-length'] !== String(bytes.length)) return [411, {}, Buffer.alloc(0)];
      objects.set(name, bytes);
      return [201, {}, Buffer.alloc(0)];
    }
    const bytes = objects.get(name);
    if (bytes === undefined) return [404, {}, Buffer.from('no such object')];
    const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (!ranges || start === undefined) return [200, {}, bytes];
    const end = Math.min(Number(last) + 1, bytes.length);
    const range = `bytes ${start}-${end - 1}/${bytes.length}`;
    return [206, { 'content-range': range }, bytes.subarray(Number(start), end)];
  };
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const [status, headers, bytes] = await answer(request);
      response.writeHead(status, { 'content-length': bytes.length, ...headers }).end(bytes);
    } catch {
      // the client broke off
      response.destroy();
    }
  };
  return (request, response) => void respond(request, response);
}

for (const ranges of [true, false]) {
  storageContract(`an upstream that ${ranges ? 'knows' : 'does not know'} of parts`, {
    begin: async () => await openStorage((await serve(keeper(ranges))).href, { HOME: '/nonexistent' }),
    end: stop,
  });
}

/** nginx with DAV before a directory. */
class Nginx {
  #folder = '';
  #child: ChildProcess | null = null;

  async begin(): Promise<UpstreamStorage> {
    this.#folder = mkdtempSync(join(tmpdir(), 'nar-scan-nginx-'));
    const probe = createTcpServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    mkdirSync(join(this.#folder, 'cache'), { mode: 0o777 });
    const file = join(this.#folder, 'nginx.conf');
    writeFileSync(file, configuration(this.#folder, port));
    this.#child = spawn('nginx', ['-p', this.#folder, '-c', file, '-e', 'stderr'], { stdio: 'ignore' });
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      const isThere = await new Promise<boolean>((resolve) => {
        socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      });
      socket.destroy();
      if (isThere) return new UpstreamStorage(new URL(`http://127.0.0.1:${port}/`), null);
      await pause(20);
    }
  }

  async end(): Promise<void> {
    if (this.#child?.kill('SIGTERM') === true) await once(this.#child, 'close');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const configuration = (folder: string, port: number): string => `
  daemon off; master_process off; pid ${folder}/pid; error_log stderr;
  events {}
  http {
    access_log off; client_max_body_size 0;
    client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
    uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
    server { listen 127.0.0.1:${port}; root ${folder}/cache; location / { dav_methods PUT; create_full_put_path on; } }
  }`;

describe.skipIf(!needs('nginx'))('with nginx', () => {
  const nginx = new Nginx();
  storageContract('nginx', { begin: () => nginx.begin(), end: () => nginx.end() });
});

describe('an upstream', () => {
  afterEach(stop);
  const NAME = 'nar/a.nar';
  const TEXT = { bytes: Buffer.from('text') };
  const FAILED = { code: 'STORAGE_FAILED' };
  const storageAt = async (listener: RequestListener, milliseconds = 300): Promise<UpstreamStorage> =>
    new UpstreamStorage(await serve(listener), `Basic ${SECRET}`, milliseconds);

  it('is asked below its prefix, with user and password, which nobody is shown', async () => {
    const asked: unknown[] = [];
    const url = await serve((request, response) => {
      asked.push([
        request.method,
        request.url,
        request.headers.authorization,
        request.headers['content-type'],
      ]);
      request.resume();
      response.writeHead(500).end(SECRET);
    });
    const storage = await openStorage(url.href.replace('://', `://noamyr:${SECRET}@`), {});
    const authorization = `Basic ${Buffer.from(`noamyr:${SECRET}`).toString('base64')}`;
    await expect(storage.put('realisations/sha256:a!out.doi', TEXT, 'a/b')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.not.stringContaining(SECRET),
    });
    await expect(storage.get(NAME)).rejects.toMatchObject({ message: expect.not.stringContaining(SECRET) });
    expect(storage.shown).toBe(url.href);
    expect(asked).toEqual([
      ['PUT', '/prefix/realisations/sha256%3Aa!out.doi', authorization, 'a/b'],
      ['GET', '/prefix/nar/a.nar', authorization, undefined],
    ]);
  });

  it.each([301, 307, 400, 401, 413, 500, 502, 503])('that answers %i fails', async (status) => {
    const storage = await storageAt((request, response) => {
      request.resume();
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    });
    await expect(storage.put(NAME, TEXT, '')).rejects.toMatchObject(FAILED);
    await expect(storage.get(NAME)).rejects.toMatchObject(FAILED);
    await expect(storage.size(NAME)).rejects.toMatchObject(FAILED);
    await expect(storage.check()).rejects.toMatchObject(FAILED);
  });

  it('that answers 202 to a PUT has not taken it, 507 is full, and 403 has no such object', async () => {
    let status = 202;
    const storage = await storageAt((request, response) => {
      request.resume();
      response.writeHead(status).end();
    });
    await expect(storage.put(NAME, TEXT, '')).rejects.toMatchObject(FAILED);
    status = 507;
    await expect(storage.put(NAME, TEXT, '')).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    status = 403;
    expect(await storage.get(NAME)).toBeNull();
    expect(await storage.size(NAME)).toBeNull();
  });

  it('that is not there, hangs or breaks off fails', async () => {
    const hangs = await storageAt(() => undefined);
    for (const asked of [hangs.put(NAME, TEXT, ''), hangs.get(NAME), hangs.size(NAME)]) {
      await expect(asked).rejects.toMatchObject({ ...FAILED, message: expect.stringContaining('0.3 s') });
    }
    await stop();
    await expect(hangs.get(NAME)).rejects.toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
    const breaks = await storageAt((request) => request.socket.destroy());
    await expect(breaks.put(NAME, TEXT, '')).rejects.toMatchObject(FAILED);
    await expect(breaks.get(NAME)).rejects.toMatchObject(FAILED);
  });

  it('that breaks off or hangs in an object never gives less as the whole', async () => {
    let hang = false;
    const storage = await storageAt((_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half');
      if (!hang) setTimeout(() => response.destroy(), 20);
    });
    const read = async (range?: { start: number; end: number }): Promise<Buffer> => {
      const object = await storage.get(NAME, range);
      if (object === null) throw new Error('it is there');
      return await bytesOf(object.stream);
    };
    await expect(read()).rejects.toThrow('aborted');
    await expect(read({ start: 2, end: 8 })).rejects.toThrow('aborted');
    hang = true;
    await expect(read()).rejects.toThrow('nothing came');
  });

  it.each([
    ['no length', 200, {}],
    ['another encoding', 200, { 'content-length': 4, 'content-encoding': 'gzip' }],
    ['another part', 206, { 'content-length': 4, 'content-range': 'bytes 1-4/10' }],
    ['a part of unknown size', 206, { 'content-length': 4, 'content-range': 'bytes 0-3/*' }],
    ['a part without saying which', 206, { 'content-length': 4 }],
    ['nothing new', 304, {}],
  ])('that sends %s fails', async (_, status, headers) => {
    const storage = await storageAt((_request, response) => {
      response.writeHead(status, headers);
      response.end(status === 304 ? '' : 'text');
    });
    await expect(storage.get(NAME, { start: 0, end: 4 })).rejects.toMatchObject(FAILED);
  });

  it('that sends a part of what was asked for as a whole fails', async () => {
    const storage = await storageAt((_, response) => {
      response.writeHead(206, { 'content-length': 4, 'content-range': 'bytes 0-3/10' }).end('text');
    });
    await expect(storage.get(NAME)).rejects.toMatchObject(FAILED);
  });

  it('is waited for by who reads slowly: that is not its silence', async () => {
    const bytes = Buffer.alloc(4_000_000, 'x');
    const storage = await storageAt((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    }, 100);
    const object = await storage.get(NAME);
    await pause(500);
    if (object === null) throw new Error('it is there');
    expect((await bytesOf(object.stream)).equals(bytes)).toBe(true);
  });

  it('that ends connections is asked once more over a new one', async () => {
    const listener = keeper(true);
    const storage = await storageAt(listener);
    await storage.put(NAME, TEXT, '');
    await storage.put(NAME, TEXT, '');
    expect(connections).toBe(1);
    // ended while it is kept: the next request finds it so
    let refuse = true;
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (refuse) request.socket.destroy();
      else listener(request, response);
      refuse = false;
    });
    await storage.put(NAME, { bytes: Buffer.from('new') }, '');
    const object = await storage.get(NAME);
    expect(object && (await bytesOf(object.stream)).toString()).toBe('new');
  });

  it('that refuses early is believed, and does not have what it did not read', async () => {
    let status = 403;
    const storage = await storageAt((_, response) => {
      response.writeHead(status, { connection: 'close' }).end();
    });
    const large = { bytes: Buffer.alloc(30_000_000) };
    await expect(storage.put(NAME, large, '')).rejects.toMatchObject(FAILED);
    status = 201;
    await expect(storage.put(NAME, large, '')).rejects.toMatchObject(FAILED);
  });
});
