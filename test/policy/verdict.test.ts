import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Severity, type Verdict, VERDICTS } from '../../src/model/facts.ts';
import { verdictOfOutput, verdictOfRun } from '../../src/policy/verdict.ts';
import { anyFinding, anyGap } from '../report/arbitraryFacts.ts';

const [finding] = fc.sample(anyFinding, 1);
const [gap] = fc.sample(anyGap, 1);
const found = (...severities: Severity[]) => severities.map((severity) => ({ ...finding!, severity }));

describe('the verdict on an output', () => {
  it.each<[string, Severity[], number, Verdict, Verdict]>([
    ['nothing', [], 0, 'clean', 'clean'],
    ['a note', ['note'], 0, 'clean', 'clean'],
    ['a warning', ['note', 'warning'], 0, 'clean', 'contaminated'],
    ['an error', ['note', 'error'], 0, 'contaminated', 'contaminated'],
    ['a gap', [], 1, 'incomplete', 'incomplete'],
    ['a warning and a gap', ['warning'], 1, 'incomplete', 'contaminated'],
    ['an error and a gap', ['error'], 1, 'contaminated', 'contaminated'],
  ])('of %s', (_what, severities, gaps, plain, strict) => {
    const facts = { findings: found(...severities), gaps: Array.from({ length: gaps }, () => gap!) };
    expect(verdictOfOutput(facts, { strict: false })).toBe(plain);
    expect(verdictOfOutput(facts, { strict: true })).toBe(strict);
  });
});

describe('the verdict on a run', () => {
  it('is never clean without outputs, with an error, or with an output that is not clean', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...VERDICTS)), fc.nat(2), (outputs, errors) => {
        const clean = outputs.length > 0 && errors === 0 && outputs.every((verdict) => verdict === 'clean');
        const verdict = verdictOfRun(outputs, errors);
        expect(verdict === 'clean').toBe(clean);
        expect(verdict === 'contaminated').toBe(outputs.includes('contaminated'));
      }),
    );
  });
});
