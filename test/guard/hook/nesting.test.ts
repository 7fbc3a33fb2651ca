import { describe, expect, it } from 'vitest';
import { nestingOf } from '../../../src/guard/hook/nesting.ts';
import { LIMITS } from '../../../src/model/limits.ts';

describe('a guard that runs inside others', () => {
  it('knows whether one of them is at the same build', () => {
    const first = nestingOf({}, 'a.drv');
    const second = nestingOf(first.variables, 'b.drv');
    expect([first, second].map(({ again }) => again)).toEqual([false, false]);
    expect(nestingOf(second.variables, 'a.drv').again).toBe(true);
    expect(nestingOf(second.variables, 'b.drv').again).toBe(true);
    expect(nestingOf(second.variables, 'c.drv').again).toBe(false);
  });

  it('is refused where each leads to another', () => {
    let environment: NodeJS.ProcessEnv = {};
    for (let depth = 0; depth < LIMITS.guardNesting; depth++) {
      environment = nestingOf(environment, `${depth}.drv`).variables;
    }
    expect(() => nestingOf(environment, 'last.drv')).toThrow(/inside each other/);
  });
});
