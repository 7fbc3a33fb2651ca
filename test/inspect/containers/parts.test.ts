import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Covered } from '../../../src/inspect/containers/covered.ts';
import { FactBag } from '../../../src/inspect/containers/facts.ts';
import { Feed } from '../../../src/inspect/containers/feed.ts';
import { gapOfFault } from '../../../src/inspect/containers/gaps.ts';
import { innerName } from '../../../src/inspect/containers/innerName.ts';
import type { LocalFinding } from '../../../src/inspect/local.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { LIMITS } from '../../../src/model/limits.ts';

const finding = (offset: number, more: Partial<LocalFinding> = {}): LocalFinding => ({
  rule: 'known-home',
  severity: 'error',
  carrier: 'bytes',
  encoding: 'plain',
  home: '/home/noamyr',
  alias: null,
  hashPart: null,
  offset,
  evidence: '/home/noamyr',
  marked: [0, 12],
  more: 0,
  ...more,
});

describe('the facts of a content and its parts', () => {
  const stored = { label: 'a', offset: 100, stored: true, section: null };

  it('name what is in a stored part once, by the part', () => {
    const bag = new FactBag();
    bag.own({ findings: [finding(105), finding(300)], gaps: [] });
    bag.part(stored, { findings: [finding(5, { carrier: 'rpath' })], gaps: [] });
    const seen = bag
      .facts()
      .findings.map(({ carrier, container, offset, outerOffset }) => [
        carrier,
        container,
        offset,
        outerOffset,
      ]);
    expect(seen).toEqual([
      ['bytes', undefined, 300, undefined],
      ['rpath', ['a'], 5, 105],
    ]);
  });

  it('keep both where the part says less, or stands packed', () => {
    const lesser = new FactBag();
    lesser.own({ findings: [finding(105)], gaps: [] });
    lesser.part(stored, { findings: [finding(5, { severity: 'warning' })], gaps: [] });
    expect(lesser.facts().findings).toHaveLength(2);
    const packed = new FactBag();
    packed.own({ findings: [finding(105)], gaps: [] });
    packed.part({ ...stored, stored: false }, { findings: [finding(5)], gaps: [] });
    expect(packed.facts().findings).toHaveLength(2);
  });

  it('count what is not kept', () => {
    const bag = new FactBag();
    for (let index = 0; index < LIMITS.factsPerContainer + 3; index++) bag.finding(finding(index));
    const { findings, gaps } = bag.facts();
    expect(findings).toHaveLength(LIMITS.factsPerContainer);
    expect(gaps).toMatchObject([{ reason: 'limit-entries' }]);
  });
});

it('ranges that were read are told from those that were not', () => {
  const range = fc.tuple(fc.nat(60), fc.nat(20)).map(([from, length]) => [from, from + length] as const);
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
      const covered = new Covered();
      for (const [from, to] of ranges) covered.add(from, to);
      for (let offset = 0; offset < 90; offset++) {
        expect(covered.has(offset)).toBe(ranges.some(([from, to]) => from <= offset && offset < to));
      }
    }),
  );
});

describe('a feed', () => {
  async function* chunks(sizes: readonly number[], fault: Error | null): AsyncGenerator<Uint8Array> {
    let value = 0;
    for (const size of sizes) yield Uint8Array.from({ length: size }, () => value++ & 0xff);
    await Promise.resolve();
    if (fault !== null) throw fault;
  }

  it('gives all bytes in order, and less than asked for only at the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(40)), fc.integer({ min: 1, max: 50 }), async (sizes, room) => {
        const feed = new Feed(chunks(sizes, null), () => undefined);
        const seen: number[] = [];
        const memory = new Uint8Array(room);
        for (;;) {
          const count = await feed.take(memory, 0, room);
          seen.push(...memory.subarray(0, count));
          if (count < room) break;
        }
        const total = sizes.reduce((sum, size) => sum + size, 0);
        expect(seen).toEqual(Array.from({ length: total }, (_, index) => index & 0xff));
        expect([await feed.take(memory, 0, room), feed.failure]).toEqual([0, null]);
      }),
    );
  });

  it('ends at a fault and says which, after what came before it', async () => {
    const fault = new Error('broken');
    const feed = new Feed(chunks([5], fault), () => undefined);
    expect(await feed.take(new Uint8Array(9), 0, 9)).toBe(5);
    expect(feed.failure).toEqual({ error: fault });
  });
});

it('a compressed file holds what its name says without the ending', () => {
  const names = {
    'share/foo.1.gz': 'foo.1',
    'x.tgz': 'x.tar',
    'x.svgz': 'x.svg',
    '.gz': 'gzip',
    blob: 'gzip',
  };
  expect(Object.keys(names).map((name) => innerName(name, 'gzip'))).toEqual(Object.values(names));
});

it('every fault of reading is a gap', () => {
  const reason = (error: unknown): string => gapOfFault(error).reason;
  expect(reason(new NarScanError('COMPRESSION_TRUNCATED', 'x'))).toBe('truncated');
  expect(reason(new NarScanError('CONTAINER_ENCRYPTED', 'x'))).toBe('encrypted');
  expect(reason(new NarScanError('NAR_TAG', 'x'))).toBe('corrupt');
  expect(reason(Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' }))).toBe('unreadable');
  expect(reason(new TypeError('a fault of this program'))).toBe('internal');
});
