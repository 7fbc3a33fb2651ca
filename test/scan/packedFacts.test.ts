import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gapAt } from '../../src/inspect/local.ts';
import type { Gap } from '../../src/model/facts.ts';
import { packFacts, unpackFacts } from '../../src/scan/packedFacts.ts';
import { FactSink, type PartialFacts } from '../../src/sources/factSink.ts';
import { anyFinding, anyGap } from '../report/arbitraryFacts.ts';

const stats = { entries: 5, files: 4, bytes: 3, expandedBytes: 2, milliseconds: 1 };

/** No entry of a tree or a NAR holds a NUL. */
const gap = fc
  .tuple(anyGap, fc.constantFrom('', 'a', 'a/b', '\xff', 'a\nb'))
  .map(([one, entry]): Gap => ({ ...one, location: { ...one.location, entry } }));

/** As they come in practice: many of a kind. */
const manyGaps = fc
  .array(fc.tuple(gap, fc.array(fc.constantFrom('', 'x', 'man/x.gz', '\xfe'), { maxLength: 5 })))
  .map((kinds) =>
    kinds.flatMap(([one, entries]) => [
      one,
      ...entries.map((entry) => ({ ...one, location: { ...one.location, entry } })),
    ]),
  );

const facts: fc.Arbitrary<PartialFacts> = fc.record({
  findings: fc.array(anyFinding, { maxLength: 5 }),
  gaps: manyGaps,
  stats: fc.constant(stats),
  lost: fc.nat(),
});

function sinkOf(facts: PartialFacts): FactSink {
  const sink = new FactSink();
  sink.merge(facts);
  sink.stats.milliseconds = facts.stats.milliseconds;
  return sink;
}

const sorted = (gaps: readonly Gap[]): readonly Gap[] =>
  gaps.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

describe('facts on their way between threads', () => {
  it('arrive as they were sent, gaps in any order', () => {
    fc.assert(
      fc.property(facts, (sent) => {
        const received = unpackFacts(structuredClone(packFacts(sinkOf(sent))));
        expect({ ...received, gaps: sorted(received.gaps) }).toEqual({ ...sent, gaps: sorted(sent.gaps) });
      }),
    );
  });

  it('gaps that differ in their entry only cost one message', () => {
    const gaps = Array.from({ length: 10_000 }, (_, index): Gap => {
      return {
        reason: 'unsupported',
        location: { entry: `man/${index}.gz`, container: [], offset: 0, outerOffset: 0 },
        detail: 'gzip',
      };
    });
    expect(packFacts(sinkOf({ findings: [], gaps, stats, lost: 0 })).gaps).toHaveLength(1);
  });

  it('gaps that entries have in common arrive as those of each', () => {
    const gap = { reason: 'limit-depth', offset: null, detail: 'gzip container was not opened' } as const;
    const content = { findings: [], gaps: [gap], common: true } as const;
    const entries = ['b', '', 'a/b', 'a'];
    const sink = new FactSink();
    for (const entry of entries) sink.content(entry, content);
    const packed = structuredClone(packFacts(sink));
    expect(packed.gaps).toHaveLength(1);
    expect(unpackFacts(packed).gaps).toEqual(entries.toSorted().map((entry) => gapAt(entry, gap)));
  });
});
