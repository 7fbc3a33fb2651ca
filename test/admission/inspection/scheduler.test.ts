import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { compileEngine } from '../../../src/kernel/create.ts';
import { CONTAINER_LIMITS } from '../../../src/inspect/containers/budget.ts';
import type { Job, Outcome } from '../../../src/admission/inspection/jobs.ts';
import { Pressure } from '../../../src/admission/inspection/pressure.ts';
import { Growth } from '../../../src/admission/intake/growth.ts';
import { startThread } from '../../../src/scan/thread.ts';
import { Inspections, type Upload } from '../../support/inspections.ts';
import { directory, file, nar } from '../../support/narWriter.ts';

const MiB = 1024 * 1024;
const UNKNOWN = { homes: ['/home/noamyr'], path: null };
const LARGE = nar(directory(['a', file(randomBytes(9 * MiB))], ['b', file('/home/noamyr/large')]));
const SMALL = nar(file('/home/noamyr/small'));

let inspections: Inspections;
let threads: Worker[];
const started = (worker: Worker) => void threads.push(worker);
beforeEach(() => {
  threads = [];
  process.on('worker', started);
  inspections = new Inspections({ scans: 1 });
});
afterEach(async () => {
  process.off('worker', started);
  await inspections[Symbol.asyncDispose]();
});

async function whole(bytes: Buffer): Promise<string> {
  const file = inspections.file(bytes);
  const { facts } = await inspections.inspector.nar(file, 'nar/x.nar', UNKNOWN, null, bytes.length);
  return facts.findings.map(({ evidence }) => evidence.trim()).join();
}

/** An upload that is followed by a thread, which has all that came so far. */
async function followed(): Promise<{ readonly upload: Upload; readonly found: Promise<unknown> }> {
  const upload = inspections.upload();
  const { inspector } = inspections;
  const found = inspector.nar(upload.file, 'nar/x.nar', UNKNOWN, upload.growth, LARGE.length);
  found.catch(() => undefined);
  await vi.waitUntil(() => inspector.load.waiting === 1);
  upload.write(LARGE.subarray(0, 5 * MiB));
  expect(inspector.load).toEqual({ running: 1, waiting: 0 });
  return { upload, found };
}

const leak = (text: string) =>
  expect.objectContaining({
    facts: expect.objectContaining({
      findings: [expect.objectContaining({ evidence: expect.stringContaining(text) as unknown })],
    }) as unknown,
  }) as unknown;

describe('an upload', () => {
  test('that comes quickly is followed to its end', async () => {
    const { upload, found } = await followed();
    upload.write(LARGE.subarray(5 * MiB));
    upload.growth.end('complete');
    expect(await found).toEqual(leak('large'));
    expect(threads.length).toBe(1);
  });

  test('that comes slowly holds no thread before it is there', async () => {
    const upload = inspections.upload();
    const found = inspections.inspector.nar(upload.file, 'nar/x.nar', UNKNOWN, upload.growth, LARGE.length);
    for (let at = 0; at < MiB; at += 1000) upload.write(LARGE.subarray(at, at + 1000));
    await sleep(0);
    expect([inspections.inspector.load, threads.length]).toEqual([{ running: 0, waiting: 1 }, 0]);
    upload.write(LARGE.subarray(MiB + 576 - (MiB % 1000)));
    upload.growth.end('complete');
    await found;
  });

  test('that stops coming gives its thread up to those that are there, and is inspected when it is, too', async () => {
    const { upload, found } = await followed();
    expect(await whole(LARGE)).toContain('large');
    expect(await whole(SMALL)).toContain('small');
    expect(inspections.inspector.load).toEqual({ running: 0, waiting: 1 });
    // a quick one that has been given up once is not followed again
    upload.write(LARGE.subarray(5 * MiB));
    expect(inspections.inspector.load).toEqual({ running: 0, waiting: 1 });
    upload.growth.end('complete');
    expect(await found).toEqual(leak('large'));
  });

  test.each([
    [
      'before anything has come',
      async () => {
        const upload = inspections.upload();
        const found = inspections.inspector.nar(upload.file, 'nar/x.nar', UNKNOWN, upload.growth, null);
        found.catch(() => undefined);
        await vi.waitUntil(() => inspections.inspector.load.waiting === 1);
        return { upload, found };
      },
    ],
    ['while it is followed', followed],
    [
      'after it was given up',
      async () => {
        const upload = await followed();
        await whole(LARGE);
        return upload;
      },
    ],
  ])('that breaks off %s has no facts', async (_when, begin) => {
    const { upload, found } = await begin();
    upload.growth.end('failed');
    await expect(found).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' });
    expect(await whole(SMALL)).toContain('small');
    expect(inspections.inspector.load).toEqual({ running: 0, waiting: 0 });
  });

  test('that broke off before it was to be inspected has no facts', async () => {
    const upload = inspections.upload();
    upload.growth.end('failed');
    const found = inspections.inspector.nar(upload.file, 'nar/x.nar', UNKNOWN, upload.growth, null);
    await expect(found).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' });
  });
});

test('small ones have a thread while others are busy', async () => {
  const ends: string[] = [];
  const told = (what: string, bytes: Buffer) => whole(bytes).then(() => ends.push(what));
  await Promise.all([told('large', LARGE), told('large', LARGE), told('small', SMALL), told('small', SMALL)]);
  expect(ends.indexOf('small')).toBeLessThan(ends.lastIndexOf('large'));
  expect(threads.length).toBe(2);
});

describe('a thread', () => {
  test('that dies takes its job with it, and another one goes on', async () => {
    const { found } = await followed();
    await vi.waitUntil(() => threads.length === 1);
    await threads[0]?.terminate();
    await expect(found).rejects.toMatchObject({ code: 'SCAN_FAILED' });
    expect(await whole(LARGE)).toContain('large');
    expect(threads.length).toBe(2);
  });

  test('that cannot read the file says so', async () => {
    const found = inspections.inspector.nar('/nonexistent', 'nar/x.nar', UNKNOWN, null, 1);
    await expect(found).rejects.toMatchObject({
      code: 'SCAN_FAILED',
      message: expect.stringContaining('ENOENT') as unknown,
    });
    expect(await whole(SMALL)).toContain('small');
  });
});

test('at the end what was not inspected is interrupted', async () => {
  const { found } = await followed();
  const waiting = inspections.inspector.nar(
    inspections.upload().file,
    'nar/y.nar',
    UNKNOWN,
    new Growth(),
    null,
  );
  await Promise.all([
    expect(found).rejects.toMatchObject({ code: 'INTERRUPTED' }),
    expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' }),
    vi.waitUntil(() => inspections.inspector.load.waiting === 1).then(() => inspections.inspector.close()),
  ]);
  await expect(whole(SMALL)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('however a file grows while it is read, the facts are those of the whole file', async () => {
  const bytes = nar(
    directory(
      ['a', file(randomBytes(700_000))],
      [
        'b',
        file(Buffer.concat([zstdCompressSync(Buffer.from('/home/noamyr/packed')), randomBytes(300_000)])),
      ],
      ['c', file(`${'x'.repeat(600_000)}/home/noamyr/edge`)],
    ),
  );
  const data = {
    compiled: compileEngine(),
    limits: CONTAINER_LIMITS,
    digests: false,
    pressure: new Pressure().shared,
  };
  const thread = startThread('../../../src/admission/inspection/inspectionThread.ts', import.meta.url, data);
  const run = async (growth: Growth | null, at: string): Promise<unknown> => {
    const context = { homes: ['/home/noamyr'], aliases: [], storeDir: '/nix/store', hashParts: [] };
    const job: Job = {
      kind: 'nar',
      file: at,
      name: 'nar/x.nar',
      context,
      paths: [],
      growth: growth?.shared ?? null,
      listing: true,
    };
    const outcome = new Promise<Outcome>((resolve) => thread.once('message', resolve));
    thread.postMessage(job);
    return await outcome;
  };
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.constantFrom(0, 0, 1, 5), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (sizes, naps, isPacked) => {
          const sent = isPacked ? zstdCompressSync(bytes) : bytes;
          const expected = await run(null, inspections.file(sent));
          expect(expected).toMatchObject({ kind: 'done', result: { facts: { findings: [{}, {}, {}] } } });
          const upload = inspections.upload();
          const found = run(upload.growth, upload.file);
          for (let at = 0, turn = 0; at < sent.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            upload.write(sent.subarray(at, at + Math.max(size, 20_000)));
            at += Math.max(size, 20_000);
            await sleep(naps[turn % naps.length]);
          }
          upload.growth.end('complete');
          expect(await found).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  } finally {
    await thread.terminate();
  }
});
