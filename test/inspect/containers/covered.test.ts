import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../../src/inspect/containers/budget.ts';
import { Covered } from '../../../src/inspect/containers/covered.ts';
import { Window, windowsBytes } from '../../../src/inspect/window.ts';
import { createMatcher } from '../../../src/kernel/create.ts';
import type { PartialFacts } from '../../../src/sources/factSink.ts';
import { prepareInspection, type Inspection } from '../../../src/sources/inspection.ts';
import { scanSource } from '../../../src/sources/narTarget.ts';
import { member, trailer } from '../../formats/cpio/writer.ts';
import { file, nar } from '../../support/narWriter.ts';
import { PiecedSource } from '../../support/piecedSource.ts';

const offsets = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('what has been read', () => {
  it('is the union of all ranges, in whatever order they come', () => {
    const range = fc.tuple(fc.nat(120), fc.nat(40)).map(([from, length]) => [from, from + length] as const);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 60 }), (ranges) => {
        const covered = new Covered();
        for (const [from, to] of ranges) covered.add(from, to);
        for (let offset = 0; offset < 165; offset++) {
          expect(covered.has(offset)).toBe(ranges.some(([from, to]) => from <= offset && offset < to));
        }
        const left = covered.between(7, 150).flatMap(([from, to]) => offsets(from, to));
        expect(left).toEqual(offsets(7, 150).filter((offset) => !covered.has(offset)));
      }),
    );
  });

  it('is an archive to its end, however many members were read of it', () => {
    const covered = new Covered();
    for (let at = 10; at < 10_000; at += 10) covered.add(at, at + 5);
    covered.add(0, 10_001);
    expect([9995, 9998, 10_000].every((offset) => covered.has(offset))).toBe(true);
    expect(covered.has(10_001)).toBe(false);
  });
});

describe('the headers of an archive', () => {
  let window: Window;
  let inspection: Inspection;

  beforeAll(() => {
    const matcher = createMatcher({ size: windowsBytes(2) });
    window = new Window(matcher);
    const context = { homes: ['/home/noamyr'], aliases: [], storeDir: '/nix/store', hashParts: [] };
    inspection = prepareInspection(matcher, context, { maxDepth: 2 });
  });

  async function factsOf(bytes: Buffer): Promise<PartialFacts> {
    const options = {
      exportStream: false,
      hasher: () => null,
      passed: () => false,
      budget: new Budget({ ...CONTAINER_LIMITS, depth: 2 }),
    };
    const source = new PiecedSource(nar(file(bytes)), [300_000], true);
    const [output] = await scanSource(source, null, window, inspection, options);
    if (output === undefined) throw new Error('no output');
    return output.facts;
  }

  const members = Array.from({ length: 200 }, (_, index) =>
    member('newc', { name: `m${index}`, contents: 'text' }),
  );
  const last = member('newc', { name: 'last', contents: 'puts("/home/noamyr/x")' });

  it('begin no archives of their own', async () => {
    const { findings, gaps } = await factsOf(Buffer.concat([...members, last, trailer('newc')]));
    expect(findings.map(({ location }) => location.container)).toEqual([['last']]);
    expect(gaps).toEqual([]);
  });

  it('and packed members are no gap, however many there are', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => member('newc', { name: `m${index}` }));
    const archive = [...many, last, trailer('newc')];
    expect((await factsOf(Buffer.concat(archive))).gaps).toEqual([]);
  });

  it('and what follows a long archive is searched for others', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => member('newc', { name: `m${index}` }));
    const archive = Buffer.concat([...many, last, trailer('newc')]);
    const packed = gzipSync('/homestead enoamyr/ /home/noamyr/x');
    const behind = await factsOf(Buffer.concat([archive, Buffer.from('text'), archive, packed]));
    const second = archive.length + 4;
    expect(behind.gaps).toEqual([]);
    expect(behind.findings.map(({ location }) => location.container.join(' > ')).toSorted()).toEqual([
      `cpio@${second} > last`,
      `gzip@${second + archive.length}`,
      'last',
    ]);
  });

  it('but more streams than are tried are a gap', async () => {
    const many = Array.from({ length: 5000 }, () => Buffer.concat([gzipSync('text'), Buffer.from('-')]));
    const facts = await factsOf(Buffer.concat([Buffer.from('text'), ...many, ...many]));
    expect(facts.gaps.map(({ reason }) => reason)).toContain('limit-entries');
  });

  it('begin none where the archive breaks behind them', async () => {
    const { findings, gaps } = await factsOf(Buffer.concat([...members, last]).subarray(0, -4));
    expect(findings.map(({ location }) => location.container)).toEqual([['last']]);
    expect(gaps.map(({ reason, location }) => [reason, location.container])).toEqual([
      ['truncated', ['last']],
      ['truncated', []],
    ]);
  });
});
