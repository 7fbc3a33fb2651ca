import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Baseline } from '../../src/policy/baseline.ts';
import { decide } from '../../src/policy/decide.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';
import { waiversToml } from '../../src/policy/print.ts';
import { parsePolicy } from '../../src/policy/read.ts';
import { anyOutput } from '../report/arbitraryFacts.ts';

const NOW = new Date('2026-06-15T00:00:00Z');
const HASHED = '/nix/store/5qw3r6a1c0vf2b9d8x7y4z1k3m6n0p2s-hello-2.12';

const someOutput = fc
  .tuple(anyOutput, fc.constantFrom('./out', 'a*b', 'x\\y'), fc.constantFrom(null, HASHED))
  .map(([output, target, storePath]) => ({
    ...output,
    target,
    storePath,
    gaps: output.gaps.filter(({ reason }) => reason !== 'internal' && reason !== 'limit-time'),
  }));

describe('a baseline', () => {
  it('covers all that blocks, and is complete after one run', () => {
    fc.assert(
      fc.property(fc.array(someOutput, { maxLength: 3 }), fc.boolean(), (outputs, strict) => {
        const policy = { ...BUILT_IN_POLICY.verdict, strict };
        const before = new Baseline([], policy, NOW);
        for (const output of outputs) before.take(decide(output, policy, NOW).result);

        const { waivers } = parsePolicy(Buffer.from(waiversToml(before.waivers)), 'p').verdict;
        const after = new Baseline(waivers, policy, NOW);
        for (const output of outputs) {
          const { result } = decide(output, { ...policy, waivers }, NOW);
          expect(result.verdict).toBe('clean');
          for (const finding of result.findings) {
            const harmless = finding.severity === 'note' || (!strict && finding.severity === 'warning');
            if (harmless) continue;
            expect(finding.waivedBy).toBeDefined();
          }
          // under another policy, too, what the file covers is not added again
          after.take(decide(output, policy, NOW).result);
        }
        expect(after.waivers).toEqual([]);
      }),
    );
  });

  it('does not depend on the order of the outputs', () => {
    fc.assert(
      fc.property(fc.array(someOutput, { maxLength: 3 }), (outputs) => {
        const textOf = (list: typeof outputs) => {
          const baseline = new Baseline([], { strict: true }, NOW);
          for (const output of list) baseline.take(output);
          return waiversToml(baseline.waivers);
        };
        expect(textOf(outputs.toReversed())).toBe(textOf(outputs));
      }),
    );
  });

  it('names a store path by what stays the same from build to build, and nothing beside it', () => {
    const [output] = fc.sample(someOutput, 1);
    const gap = {
      reason: 'corrupt',
      detail: '',
      location: { entry: 'a', container: [], offset: 0, outerOffset: 0 },
    } as const;
    const baseline = new Baseline([], { strict: false }, NOW);
    const leaky = { ...output!, storePath: HASHED, findings: [], gaps: [gap] };
    baseline.take(leaky);
    const { waivers } = baseline;
    expect(waivers.map((waiver) => waiver.output)).toEqual(['hello-2.12']);
    const verdictOf = (storePath: string) =>
      decide({ ...leaky, target: 'x', storePath }, { ...BUILT_IN_POLICY.verdict, waivers }, NOW).result
        .verdict;
    expect(verdictOf(HASHED.replace('5qw', '6qw'))).toBe('clean');
    expect(verdictOf(`${HASHED}-dev`)).toBe('incomplete');
  });

  it('leaves what nobody can answer for', () => {
    const [output] = fc.sample(someOutput, 1);
    const location = { entry: '', container: [], offset: null, outerOffset: null };
    const baseline = new Baseline([], { strict: false }, NOW);
    for (const reason of ['internal', 'limit-time'] as const) {
      baseline.take({ ...output!, findings: [], gaps: [{ reason, detail: '', location }] });
    }
    expect(baseline.waivers).toEqual([]);
  });
});
