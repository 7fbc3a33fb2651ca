import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Field, Section } from '../../src/formats/ranges.ts';
import { LeakCollector } from '../../src/inspect/leakCollector.ts';
import type { Span } from '../../src/inspect/rules/boundaries.ts';
import type { Leak } from '../../src/inspect/rules/classify.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { said } from './support.ts';

/** A content that starts at address 100. */
const ORIGIN = 100;

function spanOf(text: string): Span {
  const memory = Buffer.alloc(ORIGIN + text.length + 10, 'z');
  memory.write(text, ORIGIN, 'latin1');
  return { memory, lo: ORIGIN, hi: ORIGIN + text.length };
}

function leakAt(start: number, length: number, change: Partial<Leak> = {}): Leak {
  return {
    rule: 'foreign-home',
    home: '/home/a',
    alias: null,
    hashPart: null,
    start: ORIGIN + start,
    end: ORIGIN + start + length,
    base: 'error',
    ...change,
  };
}

const field = (
  carrier: Field['carrier'],
  name: string,
  offset: number,
  length: number | null = null,
): Field => ({
  carrier,
  name,
  offset,
  length,
});

describe('evidence', () => {
  it.each([
    ['x = "/home/a/b" # y', 5, '/home/a', 'x = "/home/a/b" # y'],
    ['one\0/home/a/b\0two', 4, '/home/a', '/home/a/b'],
    ['first\n/home/a\nlast', 6, '/home/a', '/home/a'],
    ['/home/a', 0, '/home/a', '/home/a'],
    [
      `${'p'.repeat(100)}/home/a${'q'.repeat(200)}`,
      100,
      '/home/a',
      `${'p'.repeat(48)}/home/a${'q'.repeat(112)}`,
    ],
  ])('of %j', (text, start, leak, evidence) => {
    const collector = new LeakCollector();
    collector.begin();
    collector.add(leakAt(start, leak.length), spanOf(text), ORIGIN);
    const [finding] = collector.finish([], [], false).findings;
    expect(finding).toMatchObject({ evidence, offset: start });
    expect(finding?.evidence.slice(...(finding.marked ?? []))).toBe(leak);
  });
});

describe('caps', () => {
  const text = '/home/a '.repeat(100);

  it('count exactly what they do not list, of any kinds in any order', () => {
    const kind = fc.constantFrom('/home/a', '/home/b', '/home/c');
    fc.assert(
      fc.property(fc.array(kind, { maxLength: 100 }), fc.boolean(), (homes, keepAll) => {
        const collector = new LeakCollector();
        collector.begin();
        if (keepAll) collector.keepAll();
        for (const [index, home] of homes.entries())
          collector.add(leakAt(index * 8, 7, { home }), spanOf(text), ORIGIN);
        const { findings, gaps } = collector.finish([], [], false);
        expect(gaps).toEqual([]);
        for (const home of new Set(homes)) {
          const ofHome = findings.filter((finding) => finding.home === home);
          const count = homes.filter((each) => each === home).length;
          expect(ofHome).toHaveLength(Math.min(count, LIMITS.findingsPerKind));
          expect(ofHome.reduce((sum, { more }) => sum + 1 + more, 0)).toBe(count);
        }
        const offsets = findings.map(({ offset }) => offset ?? -1);
        expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      }),
    );
  });

  it('leave room for the worst, and say how much was lost', () => {
    const collector = new LeakCollector();
    collector.begin();
    const span = spanOf(text);
    const over = 7;
    for (let index = 0; index < LIMITS.kindsPerEntry + over; index++)
      collector.add(leakAt(0, 7, { home: `/home/u${index}` }), span, ORIGIN);
    collector.add(leakAt(8, 7, { rule: 'known-home', home: '/home/zoe' }), span, ORIGIN);
    const { findings, gaps } = collector.finish([], [], false);
    expect(findings.map(said)).toContain('error known-home bytes /home/zoe -');
    expect(gaps).toMatchObject([{ reason: 'limit-entries', detail: expect.stringMatching(`^${over} `) }]);
  });

  it('begin anew with each content', () => {
    const collector = new LeakCollector();
    collector.begin();
    for (let index = 0; index <= LIMITS.kindsPerEntry; index++)
      collector.add(leakAt(0, 7, { home: `/home/u${index}` }), spanOf(text), ORIGIN);
    collector.begin();
    expect(collector.empty).toBe(true);
    collector.add(leakAt(0, 7), spanOf(text), ORIGIN);
    expect(collector.finish([], [], true)).toMatchObject({ findings: [{ more: 0 }], gaps: [] });
  });

  it('are a gap where a leak that was only counted may lie in a field that could not be read', () => {
    const full = (complete: boolean): readonly unknown[] => {
      const collector = new LeakCollector();
      collector.begin();
      collector.keepAll();
      const span = spanOf(text);
      for (let index = 0; index <= LIMITS.hitsPerBinary; index++) collector.add(leakAt(0, 7), span, ORIGIN);
      return collector.finish([], [], true, { leaks: [], complete }).gaps;
    };
    expect(full(false)).toMatchObject([{ reason: 'limit-entries' }]);
    expect(full(true)).toEqual([]);
  });
});

describe('the place of a leak', () => {
  const text = `\0x:/home/a/lib\0${'y'.repeat(20)}\0/home/a\0`;

  function placed(start: number, fields: readonly Field[], sections: readonly Section[] = []): object {
    const collector = new LeakCollector();
    collector.begin();
    collector.keepAll();
    collector.add(leakAt(start, 7), spanOf(text), ORIGIN);
    const [finding, ...others] = collector.finish(fields, sections, true).findings;
    expect(others).toEqual([]);
    return finding ?? {};
  }

  it('is the field in whose string it stands', () => {
    expect(placed(3, [field('runpath', 'DT_RUNPATH', 1)])).toMatchObject({
      carrier: 'runpath',
      field: 'DT_RUNPATH',
    });
    expect(placed(3, [field('interp', 'PT_INTERP', 1, 14)])).toMatchObject({ carrier: 'interp' });
  });

  it('is no field that ended before, begins behind it, or is too short', () => {
    expect(placed(36, [field('runpath', 'DT_RUNPATH', 1)])).toMatchObject({ carrier: 'bytes' });
    expect(placed(3, [field('runpath', 'DT_RUNPATH', 4)])).toMatchObject({ carrier: 'bytes' });
    expect(placed(3, [field('interp', 'PT_INTERP', 1, 2)])).toMatchObject({ carrier: 'bytes' });
  });

  it('is the field where it is worst', () => {
    const both = [field('rpath', 'DT_RPATH', 1), field('needed', 'DT_NEEDED', 2)];
    const collector = new LeakCollector();
    collector.begin();
    collector.keepAll();
    collector.add(leakAt(3, 7, { rule: 'placeholder-home' }), spanOf(text), ORIGIN);
    expect(collector.finish(both, [], true).findings).toMatchObject([
      { carrier: 'rpath', severity: 'warning' },
    ]);
  });

  it('has the name of its section', () => {
    const section = (name: string, offset: number, size: number): Section => ({
      name,
      offset,
      size,
      compressed: null,
    });
    const sections = [section('.late', 30, 20), section('.early', 0, 20), section('', 20, 10)];
    expect(placed(3, [], sections)).toMatchObject({ carrier: 'bytes', section: '.early' });
    expect(placed(36, [], sections)).toMatchObject({ section: '.late' });
    expect(placed(25, [], sections)).not.toHaveProperty('section');
  });

  it('is found soon among many fields and sections that cross', () => {
    const fields = Array.from({ length: 60_000 }, () => field('needed', 'DT_NEEDED', 1));
    const sections = Array.from({ length: 60_000 }, (): Section => ({
      name: 's',
      offset: 0,
      size: 1,
      compressed: null,
    }));
    const collector = new LeakCollector();
    collector.begin();
    collector.keepAll();
    const span = spanOf(text);
    for (let index = 0; index < 10_000; index++) collector.add(leakAt(3, 7), span, ORIGIN);
    const started = performance.now();
    expect(collector.finish(fields, sections, true).findings).toHaveLength(LIMITS.findingsPerKind);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
