import { describe, expect, it } from 'vitest';
import {
  Budget,
  checkRatio,
  CONTAINER_LIMITS,
  LimitReached,
} from '../../../src/inspect/containers/budget.ts';
import { LIMITS } from '../../../src/model/limits.ts';

function reached(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof LimitReached) return error.reason;
    throw error;
  }
}

describe('the budget of an output', () => {
  it('is spent by all threads together', () => {
    const memory = new SharedArrayBuffer(2 * Budget.bytes);
    const limits = { ...CONTAINER_LIMITS, expandedBytes: 100, entries: 3 };
    const [one, other, neighbour] = [0, 0, 1].map((index) => new Budget(limits, memory, index));
    expect(reached(() => one?.expanded(60))).toBe(null);
    expect(reached(() => neighbour?.expanded(60))).toBe(null);
    expect(reached(() => other?.expanded(60))).toBe('limit-size');
    expect(reached(() => one?.check())).toBe('limit-size');
    expect(other?.expandedHere).toBe(60);
  });

  it('ends at its last member, not before', () => {
    const budget = new Budget({ ...CONTAINER_LIMITS, entries: 3 });
    expect([1, 2, 3, 4].map(() => reached(() => budget.member()))).toEqual([
      null,
      null,
      null,
      'limit-entries',
    ]);
  });

  it('starts its clock when it is first looked at', async () => {
    const budget = new Budget({ ...CONTAINER_LIMITS, seconds: 0.02 });
    expect(reached(() => budget.check())).toBe(null);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(reached(() => budget.check())).toBe('limit-time');
    expect(reached(() => budget.fresh().check())).toBe(null);
  });

  it('ends with the run', () => {
    const budget = new Budget(CONTAINER_LIMITS, undefined, 0, () => true);
    expect(reached(() => budget.check())).toBe('limit-time');
    expect(reached(() => budget.fresh().check())).toBe('limit-time');
  });
});

it('a stream may expand freely at first, then in proportion to what it takes', () => {
  const free = LIMITS.ratioFreeBytes;
  const limits = { ...CONTAINER_LIMITS, ratio: 200 };
  expect(reached(() => checkRatio(limits, free, 1))).toBe(null);
  expect(reached(() => checkRatio(limits, free + 1, 1))).toBe('limit-ratio');
  expect(reached(() => checkRatio(limits, free + 1, free / 200 + 1))).toBe(null);
});
