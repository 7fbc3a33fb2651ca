import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { compileEngine, createMatcher } from '../../src/kernel/create.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { bytes, ENGINES, searchIn } from './support.ts';

test('the fastest engine of the machine is chosen', () => {
  expect(createMatcher({ size: 1024 }).engine).toBe(ENGINES.at(-1));
});

test('an engine that is not the compiled one is refused', () => {
  const compiled = compileEngine('simd');
  expect(() => createMatcher({ size: 1024, engine: 'scalar', compiled })).toThrow(
    expect.objectContaining({ code: 'KERNEL_UNAVAILABLE' }),
  );
});

test('a compiled engine works in another thread', async () => {
  const url = new URL('../../src/kernel/create.ts', import.meta.url).href;
  const worker = new Worker(
    `import { parentPort, workerData } from 'node:worker_threads';
     const { createMatcher } = await import(${JSON.stringify(url)});
     const matcher = createMatcher({ size: 4096, compiled: workerData });
     matcher.load([Buffer.from('/home/')]);
     matcher.memory.set(Buffer.from('x/home/'), matcher.base);
     const hits = [];
     matcher.search(matcher.base, matcher.base + 7, matcher.base + 7, (...hit) => hits.push(hit));
     parentPort.postMessage([matcher.engine, hits.length, hits[0][1] - matcher.base]);`,
    { eval: true, workerData: compileEngine(), execArgv: ['--input-type=module'] },
  );
  const answer = await new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  await worker.terminate();
  expect(answer).toEqual([ENGINES.at(-1), 1, 1]);
});

test.each(ENGINES)('%s: needles out of bounds are refused, and the old set stays', (engine) => {
  const matcher = createMatcher({ size: 4096, engine });
  matcher.load([bytes('abc')]);
  const refused = (needles: Uint8Array[], code: string): void =>
    expect(() => matcher.load(needles)).toThrow(expect.objectContaining({ code }));
  refused([], 'KERNEL_NEEDLE_COUNT');
  refused(Array(LIMITS.needles + 1).fill(bytes('abc')), 'KERNEL_NEEDLE_COUNT');
  refused([bytes('abcd'), bytes('ab')], 'KERNEL_NEEDLE_LENGTH');
  refused([bytes('a'.repeat(513))], 'KERNEL_NEEDLE_LENGTH');
  matcher.memory.set(bytes('abc'), matcher.base);
  expect(searchIn(matcher, matcher.base, matcher.base + 3, matcher.base + 3, matcher.base)).toEqual([[0, 0]]);
});

test.each(ENGINES)('%s: as many and as long needles as allowed fit', (engine) => {
  const matcher = createMatcher({ size: 4096, engine });
  const needles = Array.from({ length: LIMITS.needles }, (_, i) =>
    bytes(String(i).padStart(4, '0').padEnd(LIMITS.needleBytes, 'x')),
  );
  matcher.load(needles);
  matcher.memory.set(needles.at(-1), matcher.base);
  const end = matcher.base + LIMITS.needleBytes;
  expect(searchIn(matcher, matcher.base, end, end, matcher.base)).toEqual([[0, LIMITS.needles - 1]]);
});

test.each(ENGINES)("%s: a range that is not the caller's, or no needles, is refused", (engine) => {
  const matcher = createMatcher({ size: 4096, engine });
  const { base, size } = matcher;
  const refused = (from: number, to: number, limit: number): void =>
    expect(() => searchIn(matcher, from, to, limit, 0)).toThrow(
      expect.objectContaining({ code: 'KERNEL_RANGE' }),
    );
  refused(base, base + 1, base + 1);
  matcher.load([bytes('abc')]);
  refused(base - 1, base, base);
  refused(base + 2, base + 1, base + 3);
  refused(base, base + 2, base + 1);
  refused(base, base + size, base + size + 1);
  refused(NaN, base, base);
  expect(searchIn(matcher, base, base + size, base + size, 0)).toEqual([]);
});
