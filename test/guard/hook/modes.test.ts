import { describe, expect, it } from 'vitest';
import { fateOf, guardSettings, worstFate } from '../../../src/guard/hook/modes.ts';
import { BUILT_IN_GATE, GUARD_MODES, INCOMPLETE_MODES } from '../../../src/policy/gate.ts';

describe('what becomes of an output', () => {
  it.each([
    ['enforce', 'reject', 'reject'],
    ['quarantine', 'withhold', 'withhold'],
    ['report', 'pass', 'withhold'],
  ] as const)('in mode %s: contaminated %s, denied %s', (mode, contaminated, denied) => {
    for (const incomplete of INCOMPLETE_MODES) {
      expect(fateOf('contaminated', { mode, incomplete })).toBe(contaminated);
      expect(fateOf('denied', { mode, incomplete })).toBe(denied);
      expect(fateOf('clean', { mode, incomplete })).toBe('pass');
      expect(fateOf('released', { mode, incomplete })).toBe('pass');
    }
  });

  it.each([
    ['reject', 'reject'],
    ['withhold', 'withhold'],
    ['report', 'pass'],
  ] as const)('where %s is said of what is incomplete: %s', (incomplete, fate) => {
    for (const mode of GUARD_MODES) expect(fateOf('incomplete', { mode, incomplete })).toBe(fate);
  });

  it('is the worst that any part of its closure asks for', () => {
    expect(worstFate([])).toBe('pass');
    expect(worstFate(['pass', 'withhold'])).toBe('withhold');
    expect(worstFate(['reject', 'pass'])).toBe('reject');
  });
});

describe('the mode', () => {
  it('is that of the environment, else that of the policy', () => {
    expect(guardSettings(BUILT_IN_GATE, {}).mode).toBe('enforce');
    expect(guardSettings(BUILT_IN_GATE, { NAR_SCAN_GUARD_MODE: '' }).mode).toBe('enforce');
    expect(guardSettings(BUILT_IN_GATE, { NAR_SCAN_GUARD_MODE: 'report' }).mode).toBe('report');
  });

  it.each(['off', 'Enforce', 'enforce ', '0'])('is refused where it is %j', (mode) => {
    expect(() => guardSettings(BUILT_IN_GATE, { NAR_SCAN_GUARD_MODE: mode })).toThrow(/is none of/);
  });
});
