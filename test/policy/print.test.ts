import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_POLICY, type Policy } from '../../src/policy/policy.ts';
import { policyToml } from '../../src/policy/print.ts';
import { examinePolicy } from '../../src/policy/read.ts';
import { anyPolicy } from './arbitraryPolicy.ts';

/** Without the places of waivers, which are those of the file. */
function placeless(policy: Policy | null) {
  if (policy === null) return null;
  const waivers = policy.verdict.waivers.map((waiver) => ({ ...waiver, place: '' }));
  return { ...policy, verdict: { ...policy.verdict, waivers } };
}

const reread = (policy: Policy) => examinePolicy(Buffer.from(policyToml(policy)), 'policy.toml');

describe('a printed policy', () => {
  it('reads back as the same policy', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const { policy: again, faults } = reread(policy);
        expect(faults).toEqual([]);
        expect(placeless(again)).toEqual(policy);
      }),
    );
  });

  it('has a line for each waiver that leads to it', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const lines = policyToml(policy).split('\n');
        const waivers = reread(policy).policy?.verdict.waivers ?? [];
        expect(new Set(waivers.map(({ place }) => place)).size).toBe(waivers.length);
        for (const { place } of waivers) {
          expect(lines[Number(place.slice('policy.toml:'.length)) - 1]).toBe('[[waivers]]');
        }
      }),
    );
  });

  it('of the built-in policy says what is built in', () => {
    const text = policyToml(BUILT_IN_POLICY);
    expect(text).toContain(
      '[guard]\nmode = "enforce"\nincomplete = "withhold"\ndeadline = 3600\n# then: nothing is started\n',
    );
    expect(text).toContain('[limits]\n# depth: 16\n');
    expect(text).toContain('homes = []\n');
    expect(placeless(reread(BUILT_IN_POLICY).policy)).toEqual(BUILT_IN_POLICY);
  });
});
