import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crew } from '../../src/cli/crew.ts';
import { LocalWorker } from '../../src/scan/localWorker.ts';
import type { PoolWorker } from '../../src/scan/pool.ts';
import type { Resolved } from '../../src/scan/targets.ts';
import { MainTurns } from '../../src/scan/turns.ts';
import { directory, nar } from '../support/narWriter.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-crew-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const target = (kind: 'nar' | 'tree', path: string | null, narSize: number | null = null): Resolved =>
  ({
    kind,
    path,
    argument: path ?? '-',
    hashParts: [],
    info: narSize === null ? null : { narSize },
  }) as never;

/** How many of a crew are threads, and whether this one takes part; the threads are ended. */
async function told(crew: Crew, targets: readonly Resolved[]): Promise<{ threads: number; local: boolean }> {
  const workers: readonly PoolWorker[] = crew.for(
    targets,
    () => new LocalWorker({ turns: (awaited) => new MainTurns(awaited) }),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
  const locals = workers.filter((worker) => worker instanceof LocalWorker);
  return { threads: workers.length - locals.length, local: locals.length === 1 };
}

describe('who scans', () => {
  it('is this thread and others, as many as were asked for in all', async () => {
    for (const jobs of [1, 2, 4]) {
      expect(await told(new Crew(jobs, true), [target('tree', folder)])).toEqual({
        threads: jobs - 1,
        local: true,
      });
    }
  });

  it('is this thread alone where little is to be scanned', async () => {
    const small = target('tree', folder, 1_000_000);
    expect(await told(new Crew(4, true), [small, small])).toEqual({ threads: 0, local: true });
    expect(await told(new Crew(2, true), [small, target('tree', folder, 1e9)])).toEqual({
      threads: 1,
      local: true,
    });
    expect(await told(new Crew(2, true), [small, target('tree', folder)])).toEqual({
      threads: 1,
      local: true,
    });
  });

  it('is not this thread where a writer could keep it waiting', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    symlinkSync('pipe', join(folder, 'link'));
    for (const path of [null, pipe, join(folder, 'link'), join(folder, 'gone')]) {
      expect(await told(new Crew(2, true), [target('nar', path)])).toEqual({ threads: 2, local: false });
    }
  });

  it('is no more than there are streams', async () => {
    const path = join(folder, 'nar');
    writeFileSync(path, '');
    const nars = (count: number) => Array.from({ length: count }, () => target('nar', path));
    expect(await told(new Crew(4, true), nars(1))).toEqual({ threads: 0, local: true });
    expect(await told(new Crew(4, true), nars(2))).toEqual({ threads: 1, local: true });
    expect(await told(new Crew(4, true), nars(9))).toEqual({ threads: 3, local: true });
    expect(await told(new Crew(4, true), [...nars(1), target('tree', folder)])).toEqual({
      threads: 3,
      local: true,
    });
  });

  it('is as many more as a large NAR is worth that they share, and they start at once', async () => {
    const write = (name: string, head: Uint8Array, size: number): string => {
      const path = join(folder, name);
      writeFileSync(path, head);
      truncateSync(path, size);
      return path;
    };
    const head = nar(directory());
    const large = write('large.nar', head, 128 * 1024 * 1024);
    const small = write('small.nar', head, 60 * 1024 * 1024);
    const other = write('other.nar', gzipSync(head), 128 * 1024 * 1024);
    const threads = async (jobs: number, shares: boolean, paths: readonly string[]): Promise<number> => {
      const nars = paths.map((path) => target('nar', path));
      const crew = new Crew(jobs, shares);
      crew.expect(paths);
      return (await told(crew, nars)).threads;
    };
    expect(await threads(2, true, [large])).toBe(1);
    expect(await threads(8, true, [large])).toBe(2);
    expect(await threads(8, true, [large, small])).toBe(3);
    expect(await threads(1, true, [large])).toBe(0);
    expect(await threads(8, false, [large])).toBe(0);
    expect(await threads(8, true, [small])).toBe(0);
    expect(await threads(8, true, [other])).toBe(0);
    const expected = async (path: string): Promise<number> => {
      const crew = new Crew(8, true);
      crew.expect([path, join(folder, 'gone')]);
      return (await told(crew, [target('nar', other)])).threads;
    };
    expect([await expected(large), await expected(other), await expected(small)]).toEqual([2, 0, 0]);
  });

  it('starts at once for a directory with many in it, and for no other', async () => {
    const crew = new Crew(3, true);
    const small = [target('tree', folder, 1)];
    crew.expect([folder, join(folder, 'gone'), '-']);
    expect(await told(crew, small)).toEqual({ threads: 0, local: true });
    for (let count = 0; count < 16; count++) mkdirSync(join(folder, `many/${count}`), { recursive: true });
    crew.expect([folder, join(folder, 'many')]);
    expect(await told(crew, small)).toEqual({ threads: 2, local: true });
  });
});
