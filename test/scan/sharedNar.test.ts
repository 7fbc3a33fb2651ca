import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.ts';
import { verdictOfOutput } from '../../src/policy/verdict.ts';
import { LocalWorker } from '../../src/scan/localWorker.ts';
import { MainTurns } from '../../src/scan/turns.ts';
import type { FromWorker } from '../../src/scan/protocol.ts';
import type { ScanRequest } from '../../src/scan/scan.ts';
import { startWorkers } from '../../src/scan/thread.ts';
import { treeOnDisk } from '../support/diskTree.ts';
import { writeElf } from '../support/elfWriter.ts';
import { type EngineRun, runEngine, timeless, workerThat } from '../support/engineRun.ts';
import { ROOT } from '../support/narScan.ts';
import { directory, file, nar, type NarTree, symlink } from '../support/narWriter.ts';
import { writeZip } from '../support/zipWriter.ts';

const LEAK = 'prefix=/home/noamyr/x\n';
const FIXTURES = join(ROOT, 'fixtures');

let folder: string;
let count = 0;

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'nar-scan-shared-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(bytes: Uint8Array): string {
  const path = join(folder, `${count++}.nar`);
  writeFileSync(path, bytes);
  return path;
}

/** Text of a length, with a leak that ends so many bytes before its end. */
function leaky(length: number, before: number): Buffer {
  const text = Buffer.alloc(length, 'no leak in here\n');
  text.write(LEAK, length - LEAK.length - before);
  return text;
}

const LARGE = LIMITS.narSharedBytes;

/** Large files of all kinds, among small ones. */
function largeFiles(): NarTree {
  const runpath = [[29, '/home/noamyr/lib']] as const;
  const elf = Buffer.from(writeElf({ wide: true, big: false, strings: runpath, filler: LARGE }));
  const noise = Buffer.from(Array.from({ length: 40_000 }, (_, index) => (index * 7919) % 251));
  const zip = Buffer.from(
    writeZip([
      { name: 'inner/leak', content: LEAK },
      { name: 'padding', content: Buffer.alloc(LARGE, noise), method: 0 },
    ]),
  );
  return directory(
    ['a', file(LEAK)],
    ['b', file(leaky(LARGE, 0))],
    ['c', file(leaky(LARGE - 1, 0))],
    ['d', file(leaky(2 * LARGE + 5, LARGE * 2 - 20))],
    ['elf', file(elf, true)],
    ['empty', file('')],
    ['home', directory(['noamyr', file(leaky(LARGE + 3, LIMITS.chunkBytes))])],
    ['link', symlink('/home/noamyr/y')],
    ['packed.gz', file(gzipSync(leaky(2 * LARGE, 100), { level: 0 }))],
    ['script', file(Buffer.concat([Buffer.from('#!/home/noamyr/bin/sh\n'), leaky(LARGE, 50)]), true)],
    ['z.zip', file(zip)],
  );
}

const plain = { hashNars: false };

/** What two workers find, and how many contents one of them left to the other. */
async function shared(
  targets: readonly string[],
  request: Partial<ScanRequest> = {},
): Promise<EngineRun & { given: number }> {
  let given = 0;
  const workers = startWorkers(2);
  for (const worker of workers) {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'donation') given += message.work.length;
    });
  }
  return { ...(await runEngine({ ...plain, ...request, targets }, { workers })), given };
}

const alone = async (targets: readonly string[], request: Partial<ScanRequest> = {}): Promise<EngineRun> =>
  await runEngine({ ...plain, ...request, targets }, { jobs: 1 });

describe('a NAR whose contents are shared has the facts of one that is not', () => {
  it('with large files of all kinds, one output of each', async () => {
    const path = written(nar(largeFiles()));
    const expected = await alone([path]);
    let given = 0;
    // where a thread is slow to start, the other may have done all by then
    for (let runs = 0; runs < 9 && given < 2; runs++) {
      const run = await shared([path]);
      expect(timeless(run)).toEqual(timeless(expected));
      given = run.given;
    }
    expect(given).toBeGreaterThan(1);
    const [output, ...others] = expected.outputs;
    expect(others).toEqual([]);
    expect(new Set(output?.findings.map(({ location, carrier }) => `${location.entry} ${carrier}`))).toEqual(
      new Set([
        'a bytes',
        'b bytes',
        'c bytes',
        'd bytes',
        'elf runpath',
        'home/noamyr bytes',
        'home/noamyr entry-name',
        'link symlink',
        'packed.gz bytes',
        'script bytes',
        'script shebang',
        'z.zip bytes',
      ]),
    );
    expect(output?.stats.expandedBytes).toBeGreaterThan(2 * LARGE);
  });

  it('in a thread that has other things to do, which begins before the other is there', async () => {
    const path = written(nar(largeFiles()));
    const workers = [new LocalWorker({ turns: (awaited) => new MainTurns(awaited) }), ...startWorkers(1)];
    const run = await runEngine({ ...plain, targets: [path] }, { workers });
    expect(timeless(run)).toEqual(timeless(await alone([path])));
  });

  it('with every form of a leak, where every file is shared', async () => {
    const forms = ['leaks', 'ok'].map((kind) => written(nar(treeOnDisk(join(FIXTURES, kind)))));
    for (const request of [{}, { digests: true }, { limits: { depth: 0 } }]) {
      const run = await shared(forms, { ...request, sharedBytes: 1 });
      expect(timeless(run)).toEqual(timeless(await alone(forms, request)));
      expect(run.outputs.map((facts) => facts.findings.length > 100)).toEqual([true, false]);
    }
  });

  it('where it is malformed, as fixtures are', async () => {
    const nars = ['malformed', 'ok'].flatMap((kind) =>
      readdirSync(join(FIXTURES, kind))
        .filter((name) => name.endsWith('.nar'))
        .map((name) => join(FIXTURES, kind, name)),
    );
    expect(timeless(await shared(nars, { sharedBytes: 1 }))).toEqual(timeless(await alone(nars)));
  });

  it('where it is an export stream, or packed', async () => {
    const bytes = nar(largeFiles());
    const stream = join(FIXTURES, 'leaks/23-store-alias.export');
    const packed = join(folder, 'x.nar.gz');
    writeFileSync(packed, gzipSync(bytes, { level: 1 }));
    const run = await shared([stream, packed], { sharedBytes: 1 });
    expect(timeless(run)).toEqual(timeless(await alone([stream, packed])));
    expect(run.given).toBe(0);
  });

  it('and is not shared where it is hashed', async () => {
    const path = written(nar(largeFiles()));
    const run = await shared([path], { hashNars: true, sharedBytes: 1 });
    expect(run.given).toBe(0);
    expect(run.outputs.map(({ narHash }) => narHash === null)).toEqual([false]);
  });

  it('beside trees and other NARs', async () => {
    const nars = [written(nar(largeFiles())), written(nar(file(leaky(3 * LARGE, 9))))];
    const targets = [join(FIXTURES, 'leaks'), ...nars, join(FIXTURES, 'ok'), ...nars];
    expect(timeless(await shared(targets))).toEqual(timeless(await alone(targets)));
  });

  it('and shows aliases to the outputs that follow it', async () => {
    const hash = '0123456789abcdfghijklmnpqrsvwxyz';
    const alias = `/gpfs/u17/q/nix/store/${hash}-x`;
    const showing = Buffer.concat([Buffer.alloc(LARGE, '.\n'), Buffer.from(alias)]);
    const storeDir = join(folder, 'store');
    const following = Buffer.concat([Buffer.alloc(LARGE, '.\n'), Buffer.from('/gpfs/u17/q/nix/store/y')]);
    const nars = [showing, following, following].map((bytes) =>
      written(nar(directory(['file', file(bytes)]))),
    );
    const expected = timeless(await alone(nars, { storeDir }));
    expect(timeless(await shared(nars, { storeDir }))).toEqual(expected);
  });

  it('wherever the leaks are', async () => {
    const from = 1000;
    const size = fc.oneof(
      fc.integer({ min: 0, max: 2 * from }),
      fc.integer({ min: LIMITS.chunkBytes - 200, max: LIMITS.chunkBytes + 200 }),
    );
    const content = fc
      .tuple(size, fc.integer({ min: 0, max: 2000 }), fc.boolean())
      .map(([length, before, packs]) => {
        const text = length < LEAK.length + before ? Buffer.alloc(length, 'x') : leaky(length, before);
        return packs ? gzipSync(text) : text;
      });
    const nars = fc.array(fc.array(content, { maxLength: 6 }), { minLength: 8, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(nars, async (all) => {
        const paths = all.map((contents) => {
          const entries = contents.map((bytes, index) => [`file-${index}`, file(bytes)] as const);
          return written(nar(directory(...entries)));
        });
        const run = await shared(paths, { sharedBytes: from });
        expect(timeless(run)).toEqual(timeless(await alone(paths)));
      }),
      { numRuns: 4 },
    );
  });
});

describe('a NAR whose contents are shared is not clean', () => {
  const clean = (): string =>
    written(
      nar(directory(...['a', 'b', 'c'].map((name) => [name, file(Buffer.alloc(LARGE, 'x\n'))] as const))),
    );
  const verdicts = ({ outputs }: EngineRun) =>
    outputs.map((facts) => verdictOfOutput(facts, { strict: false }));

  it('where the worker dies that has some of them', async () => {
    // who comes first parses it; the other gets contents
    const workers = [...startWorkers(1), workerThat('process.exit(1)')];
    const run = await runEngine({ ...plain, targets: [clean()] }, { workers });
    expect(run.errors.map(({ code }) => code)).toEqual(['WORKER_DIED']);
    expect(verdicts(run)).toEqual(['incomplete']);
  });

  it('where the run is ended while a worker has some of them, and what others found is told', async () => {
    const path = written(nar(directory(['a', file(LEAK)], ['b', file(leaky(LARGE, 0))])));
    const controller = new AbortController();
    const [parsing] = startWorkers(1);
    if (parsing === undefined) throw new Error('no worker');
    let told = 0;
    parsing.on('message', () => {
      if (++told === 2) controller.abort();
    });
    const workers = [parsing, workerThat('')];
    const run = await runEngine({ ...plain, targets: [path] }, { workers, signal: controller.signal });
    expect(run.outputs[0]?.findings.map(({ location }) => location.entry)).toEqual(['a']);
    expect(run.outputs[0]?.gaps.map(({ reason }) => reason)).toEqual(['limit-time']);
  });

  it('where the containers of all contents together reach a limit', async () => {
    const members = Array.from({ length: 6 }, (_, index) => ({ name: `${index}`, content: 'x' }));
    const zip = Buffer.from(writeZip(members));
    const entries = ['a', 'b', 'c', 'd'].map((name) => [name, file(zip)] as const);
    const path = written(nar(directory(...entries)));
    const gapsAt = async (most: number): Promise<readonly string[]> => {
      const run = await shared([path], { sharedBytes: 1, limits: { entries: most } });
      return [...new Set(run.outputs.flatMap(({ gaps }) => gaps.map(({ reason }) => reason)))];
    };
    expect([await gapsAt(24), await gapsAt(23)]).toEqual([[], ['limit-entries']]);
  });

  it('where it was changed while it was scanned', async () => {
    const path = clean();
    const [parsing] = startWorkers(1);
    if (parsing === undefined) throw new Error('no worker');
    // holds back what it gets until the file is another one
    const slow = workerThat(`
      require('node:fs').utimesSync(${JSON.stringify(path)}, 0, 0);
      parentPort.postMessage({ kind: 'donation', id: assignment.id, work: assignment.work });
      const nothing = { parts: [], streams: [], hashed: [], faults: [], unfinished: [] };
      setTimeout(() => parentPort.postMessage({ kind: 'done', id: assignment.id, ...nothing }), 100);
    `);
    const run = await runEngine({ ...plain, targets: [path] }, { workers: [parsing, slow] });
    expect(verdicts(run)).toEqual(['incomplete']);
    expect(new Set(run.outputs[0]?.gaps.map(({ reason }) => reason))).toEqual(new Set(['unreadable']));
  });
});
