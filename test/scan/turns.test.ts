import { expect, it } from 'vitest';
import { clock } from '../../src/model/clock.ts';
import { Control } from '../../src/scan/protocol.ts';
import { MainTurns } from '../../src/scan/turns.ts';

/** Milliseconds until it is the turn of others. */
function untilDue(turns: MainTurns): number {
  const from = clock();
  while (!turns.due);
  return clock() - from;
}

it('others have their turn now and then, and at once where a thread waits for that', async () => {
  let awaits = false;
  const turns = new MainTurns(() => awaits);
  expect(untilDue(turns)).toBeGreaterThan(10);
  awaits = true;
  await turns.pass();
  expect(turns.due).toBe(false);
  expect(untilDue(turns)).toBeLessThan(10);
});

it('a thread waits that has told that it has nothing to do while there is work, until it is heard', () => {
  const shared = new SharedArrayBuffer(Control.bytes);
  const [pool, thread] = [new Control(shared), new Control(shared)];
  expect(pool.awaited).toBe(false);
  thread.starve();
  expect([pool.awaited, pool.hungry]).toEqual([false, 1]);
  pool.queued = 2;
  expect(thread.awaited).toBe(true);
  pool.heard();
  expect(pool.awaited).toBe(false);
  thread.starve();
  pool.queued = 0;
  expect(pool.awaited).toBe(false);
  thread.passed(7, 2);
  expect([pool.bytesPassed, pool.filesPassed, pool.hungry, pool.stopped]).toEqual([7, 2, 2, false]);
});
