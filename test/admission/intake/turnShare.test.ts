import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TurnShare } from '../../../src/admission/intake/turnShare.ts';
import { LIMITS } from '../../../src/model/limits.ts';

test('what comes in a turn is taken until it is enough, and again in the next', async () => {
  const share = new TurnShare();
  expect([share.take(1), share.take(LIMITS.uploadTurnBytes), share.take(1)]).toEqual([true, false, false]);
  await nextTurn();
  expect(share.take(1)).toBe(true);
});

test('who waits goes on in order, some in every turn, and nobody is forgotten', async () => {
  const share = new TurnShare();
  const gone: number[] = [];
  for (let at = 0; at < 40; at++) share.wait(() => void gone.push(at));
  expect(gone).toEqual([]);
  await nextTurn();
  expect(gone.length).toBeGreaterThan(0);
  expect(gone.length).toBeLessThan(20);
  share.wait(() => void gone.push(40));
  while (gone.length < 41) await nextTurn();
  expect(gone).toEqual(Array.from({ length: 41 }, (_, at) => at));
});
