import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { narWith, STORE_DIR } from '../admission/publication/cache.ts';
import { CacheClient, RawConnection, SentOutput } from '../support/cacheClient.ts';
import { CacheServer } from '../support/cacheServer.ts';
import { newStorePath } from '../support/killedUploads.ts';
import { directory, file, nar } from '../support/narWriter.ts';
import { needs } from '../support/programs.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
/** Of a file system that is to be full; what uploads must leave free is 64 MiB of it. */
const DISK = 72 * MiB;
/** What is still free of it, in the rounds of a test: little enough that every kind of write fails in one of them. */
const FREE = [0, 4, 8, 16, 32, 64, 128, 512].map((pages) => pages * KiB);

let folder: string;
let server: CacheServer | null = null;
let client: CacheClient;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-faults-'));
});
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

const start = async (options: { storage?: string; limit?: number } = {}): Promise<CacheServer> => {
  server = await CacheServer.start({
    storeDir: STORE_DIR,
    folder,
    args: ['--home', '/home/noamyr'],
    ...options,
  });
  client = new CacheClient(server.url);
  return server;
};
const made = (bytes = 20): SentOutput =>
  new SentOutput(narWith(randomBytes(bytes).toString('base64')), newStorePath(STORE_DIR, 'made'));
const spooled = (): readonly string[] => readdirSync(join(folder, 'state/spool'));
const POLL = { timeout: 20_000 };
const SERVED = [200, 200, 200, 200, 200, 200];

/** Uploads without telling how long it is, so that nobody says beforehand that it will not fit. */
const upload = async ({ narName, nar: bytes, narInfoName, narInfo }: SentOutput) => {
  const received = await client.put(narName, [bytes], null);
  const published =
    received.status === 200 ? await client.put(narInfoName, [narInfo], null) : { status: 0, reason: '' };
  return { received, published };
};

/** What was published is served, what was not is not, and none of it half. */
const expectWhole = async (output: SentOutput, isPublished: boolean): Promise<void> => {
  expect(await client.statusesOf(output)).toEqual(isPublished ? SERVED : SERVED.map(() => 404));
  if (isPublished) expect((await client.get(output.narName)).body.equals(output.nar)).toBe(true);
};

/** Final, or such that the same client may truly have more luck with the same. */
const expectNoLuck = ({ status, reason }: { status: number; reason: string }): void => {
  expect([reason, [413, 503]]).toEqual([reason, expect.arrayContaining([status])]);
  expect(reason).toMatch(/^nar-scan: [A-Z_]+: [ -~]+$/);
};

const mountable = (() => {
  const place = mkdtempSync(join(tmpdir(), 'nar-scan-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true });
  }
})();

/** A file system that can be filled, at a directory of this test. */
class SmallDisk implements Disposable {
  readonly path: string;
  readonly #ballast: string;

  constructor(path: string) {
    this.path = path;
    this.#ballast = join(path, '.ballast');
    mkdirSync(path, { recursive: true, mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0700`, 'tmpfs', path]);
  }

  /** Leaves no more than so many bytes free. */
  fill(free: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    writeFileSync(this.#ballast, Buffer.alloc(Math.max(0, bavail * bsize - free), 1));
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.path]);
  }
}

describe.skipIf(!mountable)('a disk that is full', () => {
  it.each(['state', 'storage'])(
    'of the %s, at any write: nothing is half, nothing is lost, and it goes on',
    async (which) => {
      using disk = new SmallDisk(join(folder, which));
      await start();
      const published: SentOutput[] = [];
      const failed: SentOutput[] = [];
      for (const free of FREE) {
        for (const bytes of [20, 20 * KiB]) {
          disk.fill(free);
          const output = made(bytes);
          const { received, published: answer } = await upload(output);
          for (const each of [received, answer]) if (![0, 200].includes(each.status)) expectNoLuck(each);
          await expectWhole(output, answer.status === 200);
          (answer.status === 200 ? published : failed).push(output);
          // also where it cannot be kept for review
          const leaky = new SentOutput(narWith(`/home/noamyr/${free}`), newStorePath(STORE_DIR, 'leaky'));
          expect([403, 413, 503]).toContain((await upload(leaky)).received.status);
          await expectWhole(leaky, false);
          disk.empty();
        }
      }
      expect(failed.length).toBeGreaterThan(3);
      expect(spooled()).toEqual([]);
      for (const output of failed) {
        expect((await upload(output)).published.status).toBe(200);
        await expectWhole(output, true);
      }
      await server?.stop('SIGKILL');
      await start();
      for (const output of [...published, ...failed]) await expectWhole(output, true);
    },
  );

  it('is no reason to begin with what will not fit, and stops what would fill it', async () => {
    using disk = new SmallDisk(join(folder, 'state'));
    await start();
    const large = nar(directory(['data', file(randomBytes(DISK - 4 * MiB))]));
    const output = new SentOutput(large, newStorePath(STORE_DIR, 'large'));
    const told = await client.put(output.narName, [large], large.length);
    expect(told).toMatchObject({ status: 413, reason: expect.stringContaining('UPLOAD_NO_ROOM') });
    disk.fill(30 * MiB);
    const untold = await client.put(output.narName, [large], null);
    expectNoLuck(untold);
    expect(spooled()).toEqual([]);
    disk.empty();
    expect((await upload(made())).published.status).toBe(200);
  });
});

describe.skipIf(!needs('prlimit'))('a limit of what files may be', () => {
  it('is one for uploads, and for nothing else', async () => {
    await start({ limit: 4 * MiB });
    const large = new SentOutput(
      nar(directory(['data', file(randomBytes(5 * MiB))])),
      newStorePath(STORE_DIR, 'l'),
    );
    const refused = await client.putNar(large);
    expect(refused).toMatchObject({ status: 413, reason: expect.stringContaining('EFBIG') });
    await expectWhole(large, false);
    expect(spooled()).toEqual([]);
    const small = made();
    expect((await upload(small)).published.status).toBe(200);
    await expectWhole(small, true);
  });
});

/** A cache that takes uploads, or does not. */
class Upstream implements AsyncDisposable {
  readonly objects = new Map<string, Buffer>();
  answer: RequestListener | null = null;
  readonly #server: Server;
  readonly #port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => (this.answer ?? this.works)(request, response));
  }

  static async start(): Promise<Upstream> {
    const made = createServer().listen(0, '127.0.0.1');
    await once(made, 'listening');
    return new Upstream(made);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/cache`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async restart(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  readonly works: RequestListener = (request, response) => {
    const name = request.url ?? '';
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (request.method === 'PUT') this.objects.set(name, Buffer.concat(pieces));
      const object = this.objects.get(name);
      if (request.method === 'PUT') response.writeHead(201).end();
      else if (object === undefined) response.writeHead(404).end();
      else
        response
          .writeHead(200, { 'content-length': object.length })
          .end(request.method === 'HEAD' ? '' : object);
    });
  };

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }
}

describe('an upstream', () => {
  const status =
    (code: number): RequestListener =>
    (request, response) => {
      request.resume();
      response.writeHead(code).end();
    };
  it.each<[string, RequestListener | null]>([
    ['is down', null],
    ['answers 500', status(500)],
    ['answers 503 before it has read', (_request, response) => void response.writeHead(503).end()],
    ['answers 403', status(403)],
    [
      'redirects',
      (_request, response) => void response.writeHead(307, { location: 'http://evil.example/' }).end(),
    ],
    ['accepts for later', status(202)],
    ['hangs up', (request) => void request.socket.destroy()],
    ['speaks no HTTP', (request) => void request.socket.end('SSH-2.0-OpenSSH\r\n')],
    ['is full', status(507)],
  ])('that %s: nothing is published, and all is when it works again', async (_, answer) => {
    await using upstream = await Upstream.start();
    await start({ storage: upstream.url });
    const before = made();
    expect((await upload(before)).published.status).toBe(200);
    const output = made();
    expect((await client.putNar(output)).status).toBe(200);

    if (answer === null) await upstream.stop();
    else upstream.answer = answer;
    expectNoLuck(await client.putNarInfo(output));
    expect((await client.get(output.narInfoName)).status).toBe(404);
    expect((await client.get(output.narName)).status).toBe(404);
    // published, and cannot be had now: to say that it is not there would have it sent again
    expect((await client.get(before.narInfoName)).status).toBe(200);
    expect([404, 503]).toContain((await client.get(before.narName)).status);

    if (answer === null) await upstream.restart();
    upstream.answer = null;
    await expectWhole(before, true);
    expect((await client.putNarInfo(output)).status).toBe(200);
    await expectWhole(output, true);
    expect(server?.log()).not.toContain('INTERNAL');
  });

  it.each([1, 2, 3])('that fails at upload %i of one output alone', async (which) => {
    await using upstream = await Upstream.start();
    await start({ storage: upstream.url });
    const output = made();
    let puts = 0;
    upstream.answer = (request, response) => {
      // the server asks by itself, too, whether it could upload anything
      const isOf = /\/nar\/|\.ls$|\.narinfo$/.test(request.url ?? '');
      const isIt = isOf && request.method === 'PUT' && ++puts === which;
      (isIt ? status(500) : upstream.works)(request, response);
    };
    expect((await client.putNar(output)).status).toBe(200);
    expectNoLuck(await client.putNarInfo(output));
    await expectWhole(output, false);
    expect((await client.putNarInfo(output)).status).toBe(200);
    await expectWhole(output, true);
  });
});

describe('a signal in the middle', () => {
  it('of a body: it may end, is acknowledged, and is there afterwards', async () => {
    const { url, child } = await start();
    const exited = once(child, 'exit');
    const output = made(100_000);
    const half = output.nar.length >> 1;
    const pieces = async function* () {
      yield output.nar.subarray(0, half);
      await expect.poll(spooled, POLL).toHaveLength(1);
      child.kill('SIGTERM');
      await pause(300);
      await expect(new CacheClient(url).get('nix-cache-info')).rejects.toThrow('ECONNREFUSED');
      yield output.nar.subarray(half);
    };
    expect(await client.put(output.narName, pieces(), output.nar.length)).toMatchObject({ status: 200 });
    expect(await exited).toEqual([0, null]);
    await start();
    await expectWhole(output, false);
    expect((await client.putNarInfo(output)).status).toBe(200);
    await expectWhole(output, true);
  });

  it('of a body that does not end: it is broken off when its time is over, and nothing is left', async () => {
    const { url } = await start();
    const output = made();
    using connection = await RawConnection.open(url);
    connection.send(`PUT /${output.narName} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx`);
    await expect.poll(spooled, POLL).toHaveLength(1);
    expect(await server?.stop('SIGTERM')).toBe(0);
    expect([null, 503, 400]).toContain((await connection.answer())?.status ?? null);
    expect(spooled()).toEqual([]);
  });

  it('of a publication: it is whole, or it is not', async () => {
    for (let round = 0; round < 3; round++) {
      await start();
      const outputs = Array.from({ length: 4 }, () => made(200_000));
      for (const output of outputs) expect((await client.putNar(output)).status).toBe(200);
      const answers = outputs.map(async (output) => {
        try {
          return (await client.putNarInfo(output)).status;
        } catch {
          return null;
        }
      });
      await pause(round * 8);
      expect(await server?.stop('SIGTERM')).toBe(0);
      const statuses = await Promise.all(answers);
      await start();
      for (const [index, output] of outputs.entries()) {
        if (statuses[index] === 200) await expectWhole(output, true);
        expect((await client.putNarInfo(output)).status).toBe(200);
        await expectWhole(output, true);
      }
      await server?.stop();
    }
  });
});
