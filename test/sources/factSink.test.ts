import { describe, expect, it } from 'vitest';
import type { Finding, Gap, Severity } from '../../src/model/facts.ts';
import type { ContentFacts } from '../../src/inspect/local.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { verdictOfOutput } from '../../src/policy/verdict.ts';
import { FactRoom, FactSink } from '../../src/sources/factSink.ts';

const at = (entry: string, offset: number | null = null): Finding['location'] => ({
  entry,
  container: [],
  offset,
  outerOffset: offset,
});

const finding = (severity: Severity, entry: string, offset: number | null = null): Finding => ({
  rule: 'foreign-home',
  severity,
  carrier: 'bytes',
  encoding: 'plain',
  home: '/home/alice',
  alias: null,
  hashPart: null,
  location: at(entry, offset),
  evidence: '/home/alice',
  marked: [0, 11],
  more: 0,
});

const gap = (entry: string, offset: number | null = null): Gap => ({
  reason: 'unsupported',
  location: at(entry, offset),
  detail: 'not opened',
});

const MOST = LIMITS.factsPerOutput;

describe('facts of one output', () => {
  it('come out in the order of their places, by bytes', () => {
    const sink = new FactSink();
    const places: readonly (readonly [string, number | null])[] = [
      ['b', 2],
      ['a/b', 0],
      ['\xff', 1],
      ['b', null],
      ['a', 9],
      ['a.b', 0],
      ['b', 10],
    ];
    for (const [entry, offset] of places) {
      sink.addFinding(finding('error', entry, offset));
      sink.addGap(gap(entry, offset));
    }
    const order = [
      ['a', 9],
      ['a.b', 0],
      ['a/b', 0],
      ['b', null],
      ['b', 2],
      ['b', 10],
      ['\xff', 1],
    ];
    const { findings, gaps } = sink.sorted();
    expect(findings.map(({ location }) => [location.entry, location.offset])).toEqual(order);
    expect(gaps.map(({ location }) => [location.entry, location.offset])).toEqual(order);
  });

  it('of one place come out in one order, whichever arrived first', () => {
    const name: Finding = { ...finding('error', 'home/alice', 0), carrier: 'entry-name' };
    const content = finding('error', 'home/alice', 0);
    const truncated: Gap = { ...gap('x', 0), detail: 'ends early' };
    const facts = [[name, content] as const, [content, name] as const].map((findings) => {
      const sink = new FactSink();
      for (const one of findings) sink.addFinding(one);
      for (const one of findings[0] === name ? [truncated, gap('x', 0)] : [gap('x', 0), truncated])
        sink.addGap(one);
      return sink.sorted();
    });
    expect(facts[1]).toEqual(facts[0]);
  });

  it('of two parts add up, whichever comes first', () => {
    const part = (entry: string): FactSink => {
      const sink = new FactSink();
      sink.addFinding(finding('warning', entry));
      sink.addGap(gap(entry));
      Object.assign(sink.facts.stats, { entries: 3, files: 2, bytes: 100, expandedBytes: 50 });
      return sink;
    };
    const merged = (names: readonly string[]) => {
      const whole = new FactSink();
      for (const name of names) whole.merge(part(name).facts);
      return whole.sorted();
    };
    expect(merged(['a', 'b', 'c'])).toEqual(merged(['c', 'a', 'b']));
    expect(merged(['a', 'b']).stats).toMatchObject({ entries: 6, files: 4, bytes: 200, expandedBytes: 100 });
  });
});

describe('gaps that entries have in common', () => {
  const common = {
    findings: [],
    gaps: [
      { reason: 'limit-depth', offset: null, detail: 'gzip container was not opened' },
      { reason: 'limit-depth', offset: null, detail: 'zip container was not opened' },
    ],
    common: true,
  } as const satisfies ContentFacts;
  const entries = ['b', '', 'a/b', 'a'];
  const sinkOf = (facts: ContentFacts): FactSink => {
    const sink = new FactSink();
    sink.gap('a', { reason: 'unsupported', offset: 3, detail: 'odd' });
    for (const entry of entries) sink.content(entry, facts);
    return sink;
  };
  const { common: _, ...single } = common;

  it('are those that each of them would have', () => {
    expect(sinkOf(common).sorted()).toEqual(sinkOf(single).sorted());
    const merged = new FactSink();
    merged.merge(sinkOf(common).facts);
    expect(merged.sorted()).toEqual(sinkOf(single).sorted());
  });

  it('are told once, and with those that come later', () => {
    const sink = sinkOf(common);
    expect([sink.facts.gaps.length, sink.facts.gaps.length]).toEqual([9, 9]);
    sink.content('z', common);
    expect(sink.facts.gaps).toHaveLength(11);
  });

  it('name the content where it is told apart', () => {
    const sink = new FactSink();
    sink.content('a', { ...common, digest: 'abc' });
    expect(sink.facts.gaps.map(({ location }) => location.digest)).toEqual(['abc', 'abc']);
  });

  it('have room as others do', () => {
    const sink = new FactSink(new FactRoom(3));
    for (const entry of entries) sink.content(entry, common);
    expect(
      sink
        .sorted()
        .gaps.map(({ detail }) => detail)
        .at(-1),
    ).toBe('5 more facts were not kept');
    expect(sink.sorted().gaps).toHaveLength(5);
  });
});

describe('too many facts', () => {
  it('keep the errors whatever came before them, and are a gap', () => {
    const sink = new FactSink();
    for (let index = 0; index < MOST + 5; index++) {
      sink.addFinding(finding('note', 'n'));
      sink.addFinding(finding('warning', 'w'));
    }
    sink.addFinding(finding('error', 'e'));
    const facts = sink.sorted();
    expect(facts.findings).toHaveLength(2 * MOST + 1);
    expect(facts.gaps.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'limit-entries: 10 more facts were not kept',
    ]);
    expect(verdictOfOutput(facts, { strict: false })).toBe('contaminated');
  });

  it('that are no errors are never clean', () => {
    const sink = new FactSink();
    for (let index = 0; index <= MOST; index++) sink.addFinding(finding('note', 'n'));
    expect(verdictOfOutput(sink.sorted(), { strict: false })).toBe('incomplete');
  });

  it('that are gaps are counted, and never clean', () => {
    const sink = new FactSink();
    for (let index = 0; index < MOST + 3; index++) sink.addGap(gap(`${index}`));
    const facts = sink.sorted();
    expect(facts.gaps).toHaveLength(MOST + 1);
    expect(facts.gaps.at(-1)?.detail).toBe('3 more facts were not kept');
  });

  it('that a part did not keep are told by the whole', () => {
    const part = new FactSink();
    for (let index = 0; index < MOST + 3; index++) part.addFinding(finding('note', 'n'));
    const whole = new FactSink();
    whole.addFinding(finding('note', 'a'));
    whole.merge(part.facts);
    expect(whole.sorted().gaps.map(({ detail }) => detail)).toEqual(['4 more facts were not kept']);
  });
});

it('a room is that of all sinks that share it; what finds none is counted, and a gap', () => {
  const room = new FactRoom(2, 3);
  const [first, second] = [new FactSink(room), new FactSink(room)];
  for (const sink of [first, second]) {
    for (const severity of ['error', 'note'] as const) {
      sink.addFinding(finding(severity, 'a'));
      sink.addFinding(finding(severity, 'b'));
    }
  }
  expect(first.sorted()).toMatchObject({ findings: { length: 4 }, gaps: [], lost: 0 });
  expect(second.sorted()).toMatchObject({
    findings: [{ severity: 'note' }],
    gaps: [{ reason: 'limit-entries' }],
    lost: 3,
  });
});
