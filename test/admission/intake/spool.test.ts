import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileHasher, fileHashOf } from '../../../src/admission/intake/fileHasher.ts';
import { Growth } from '../../../src/admission/intake/growth.ts';
import { SpoolDirectory } from '../../../src/admission/intake/spool.ts';
import type { Spooled } from '../../../src/admission/contracts.ts';
import type { Body } from '../../../src/admission/uploads.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { narHashText } from '../../../src/nix/narHash.ts';

const MOST = 64 * 1024 * 1024;

let dir: string;
let spool: SpoolDirectory;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nar-scan-test-spool-'));
  spool = SpoolDirectory.open(join(dir, 'spool'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

function files(): readonly string[] {
  return readdirSync(spool.path);
}

function body(stream: Readable, length: number | null = null, encoding: string | null = null): Body {
  return { stream, length, encoding };
}

async function received(
  sent: Body,
  most = MOST,
  growth = new Growth(),
  hasher = new FileHasher(),
): Promise<Spooled> {
  const { whole } = await spool.receive(sent, { most, growth, hasher });
  return await whole;
}

function hashOf(bytes: Uint8Array): string {
  return narHashText(createHash('sha256').update(bytes).digest());
}

describe('a body', () => {
  test('lies in a private file as it was sent, with its hash, however it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }),
        fc.boolean(),
        async (pieces, isTold) => {
          const bytes = Buffer.concat(pieces);
          const growth = new Growth();
          const stream = Readable.from(pieces.filter(({ length }) => length > 0));
          const hasher = new FileHasher();
          const spooled = await received(body(stream, isTold ? bytes.length : null), MOST, growth, hasher);
          expect([hasher.finish(), spooled.fileSize]).toEqual([hashOf(bytes), bytes.length]);
          expect(await fileHashOf(spooled.file)).toBe(hashOf(bytes));
          expect(readFileSync(spooled.file)).toEqual(bytes);
          expect(statSync(spooled.file).mode & 0o777).toBe(0o600);
          expect([growth.state, growth.length]).toEqual(['complete', bytes.length]);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('may be read as far as its growth says while it comes', async () => {
    const stream = new PassThrough();
    const growth = new Growth();
    const { file, whole } = await spool.receive(body(stream), { most: MOST, growth });
    stream.write('the first half');
    await vi.waitUntil(() => growth.length === 14);
    expect([readFileSync(file, 'latin1'), growth.state]).toEqual(['the first half', 'growing']);
    stream.end(', the second');
    expect((await whole).fileSize).toBe(26);
  });

  test('of more bytes than are gathered for one write is taken whole', async () => {
    const bytes = Buffer.alloc(5 * LIMITS.uploadWriteBytes + 7, 'leak');
    const pieces = Array.from({ length: 400 }, (_, at) => bytes.subarray(at * 7000, (at + 1) * 7000));
    const hasher = new FileHasher();
    await received(body(Readable.from(pieces)), MOST, new Growth(), hasher);
    expect(hasher.finish()).toBe(hashOf(bytes));
  });

  test.each([
    ['shorter than told', 'UPLOAD_TRUNCATED', () => body(Readable.from([Buffer.from('abc')]), 4)],
    ['longer than told', 'UPLOAD_LENGTH', () => body(Readable.from([Buffer.from('abc')]), 2)],
    ['longer than is taken', 'UPLOAD_TOO_LARGE', () => body(Readable.from([Buffer.alloc(101)]))],
    ['said to be longer than is taken', 'UPLOAD_TOO_LARGE', () => body(Readable.from([]), 101)],
    ['packed for the way', 'UPLOAD_ENCODING', () => body(Readable.from([]), 10, 'gzip')],
    ['whose stream breaks', 'UPLOAD_TRUNCATED', () => body(broken())],
    ['that is gone already', 'UPLOAD_TRUNCATED', () => body(new PassThrough().destroy())],
  ])('%s is refused and leaves no file', async (_what, code, sent) => {
    const growth = new Growth();
    await expect(received(sent(), 100, growth)).rejects.toMatchObject({ code });
    expect([files(), growth.state]).toEqual([[], 'failed']);
  });

  test('that the disk has no room for is refused and leaves no file', async () => {
    const growth = new Growth();
    const stream = new PassThrough();
    const { whole } = await spool.receive(body(stream), { most: MOST, growth });
    const { FileHandle } = await fileHandle();
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const append = vi.spyOn(FileHandle, 'writev').mockRejectedValue(full);
    stream.write('bytes');
    await expect(whole).rejects.toMatchObject({ code: 'UPLOAD_NO_ROOM' });
    append.mockRestore();
    expect([files(), growth.state]).toEqual([[], 'failed']);
  });

  test('of which the disk takes a part at a time is taken whole', async () => {
    const { FileHandle } = await fileHandle();
    const bytes = randomBytes(100_000);
    const writev = vi.spyOn(FileHandle, 'writev').mockImplementation(async function (
      this: typeof FileHandle,
      pieces,
    ) {
      const { bytesWritten } = await this.write(Buffer.concat(pieces as Buffer[]).subarray(0, 777));
      return { bytesWritten, buffers: pieces };
    });
    const cut = Array.from({ length: 200 }, (_, at) => bytes.subarray(at * 500, (at + 1) * 500));
    const spooled = await received(body(Readable.from(cut)));
    writev.mockRestore();
    expect(readFileSync(spooled.file).equals(bytes)).toBe(true);
  });

  test('that comes too slowly is refused after the first window', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stream = new PassThrough();
    const growth = new Growth();
    const { whole } = await spool.receive(body(stream), { most: MOST, growth });
    vi.advanceTimersByTime(LIMITS.uploadWindowMilliseconds);
    stream.write(Buffer.alloc(LIMITS.uploadWindowBytes));
    await vi.waitUntil(() => growth.length === LIMITS.uploadWindowBytes);
    vi.advanceTimersByTime(LIMITS.uploadWindowMilliseconds);
    expect(growth.state).toBe('growing');
    stream.write(Buffer.alloc(LIMITS.uploadWindowBytes - 1));
    await vi.waitUntil(() => growth.length > LIMITS.uploadWindowBytes);
    vi.advanceTimersByTime(LIMITS.uploadWindowMilliseconds);
    await expect(whole).rejects.toMatchObject({ code: 'UPLOAD_SLOW' });
    expect([files(), stream.destroyed]).toEqual([[], false]);
  });
});

describe('a client that hangs up', () => {
  let server: Server;
  afterEach(() => void server.close());

  test.each([0, 1, 100_000, 3_000_000])('after %i bytes leaves no file', async (count) => {
    const ended = Promise.withResolvers<unknown>();
    server = createServer((message: IncomingMessage) => {
      const sent = body(message, Number(message.headers['content-length']));
      received(sent).then(ended.resolve, ended.resolve);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const headers = { 'content-length': 4_000_000 };
    const client = request({ port, host: '127.0.0.1', method: 'PUT', headers });
    client.on('error', () => undefined);
    client.flushHeaders();
    await once(server, 'request');
    await new Promise((written) => client.write(Buffer.alloc(Math.max(1, count)), written));
    client.destroy();
    expect(await ended.promise).toMatchObject({ code: 'UPLOAD_TRUNCATED' });
    expect(files()).toEqual([]);
  });
});

test('a sweep deletes what nobody wants', async () => {
  const [wanted, other] = [spool.fresh(), spool.fresh()];
  for (const file of [wanted, other]) writeFileSync(file, 'bytes');
  await spool.sweep(new Set([wanted]));
  expect(files().map((name) => join(spool.path, name))).toEqual([wanted]);
});

test('a directory that others may write to is refused', () => {
  const open = join(dir, 'open');
  SpoolDirectory.open(open);
  expect(statSync(open).mode & 0o777).toBe(0o700);
  expect(() => SpoolDirectory.open('/tmp')).toThrow(expect.objectContaining({ code: 'STATE_UNSAFE' }));
});

function broken(): Readable {
  const stream = new PassThrough();
  stream.write('some');
  setImmediate(() => stream.destroy(new Error('aborted')));
  return stream;
}

/** The prototype of what the system's files are opened as. */
async function fileHandle() {
  const { open } = await import('node:fs/promises');
  const handle = await open('/dev/null');
  await handle.close();
  return { FileHandle: Object.getPrototypeOf(handle) as typeof handle };
}
