import { describe, expect, test } from 'vitest';
import { InspectionQueue, type Queued, UploadPace } from '../../../src/admission/inspection/queue.ts';
import { Growth } from '../../../src/admission/intake/growth.ts';

const MiB = 1024 * 1024;

function queued(size: number | null, growth: Growth | null = null): Queued {
  const job = { kind: 'repack', file: '', name: '', target: '', most: 0 } as const;
  const nobody = (): void => undefined;
  return { job, growth, size, pace: new UploadPace(0), hasGivenUp: false, resolve: nobody, reject: nobody };
}

function queueOf(...all: readonly Queued[]): InspectionQueue {
  const queue = new InspectionQueue();
  for (const one of all) queue.add(one);
  return queue;
}

describe('what waits for a thread', () => {
  test('goes in the order in which it came, small ones first', () => {
    const [one, two, large] = [queued(1), queued(2), queued(9 * MiB)];
    const queue = queueOf(large, one, two);
    expect([queue.take(0), queue.take(0), queue.take(0), queue.take(0)]).toEqual([one, two, large, null]);
  });

  test('goes although it is large where small ones keep coming', () => {
    const large = queued(9 * MiB);
    const queue = queueOf(large);
    for (let turn = 0; turn < 8; turn++) {
      queue.add(queued(1));
      queue.add(queued(1));
      expect(queue.take(0)).not.toBe(large);
    }
    expect(queue.take(0)).toBe(large);
  });

  test('goes to the thread for what is small only where it is, and there as a whole', () => {
    const growth = new Growth();
    const [large, coming] = [queued(9 * MiB), queued(1, growth)];
    const queue = queueOf(large, coming);
    expect([queue.takeSmall(), queue.isPressing]).toEqual([null, true]);
    growth.end('complete');
    expect(queue.takeSmall()).toBe(coming);
  });

  test('goes behind all that is there where it is an upload that comes quickly', () => {
    const growth = new Growth();
    const [coming, large] = [queued(null, growth), queued(9 * MiB)];
    const queue = queueOf(coming, large);
    growth.grew(4 * MiB);
    expect([queue.take(1), queue.take(1), queue.isPressing]).toEqual([large, coming, false]);
  });

  test.each([
    ['comes slowly', 4 * MiB - 1, 1000, {}],
    ['has become slow', 4 * MiB, 1001, {}],
    ['was given up', 4 * MiB, 1, { hasGivenUp: true }],
    ['is small', 4 * MiB, 1, { size: 8 * MiB }],
  ])('stays where it is an upload that %s', (_what, length, now, other) => {
    const growth = new Growth();
    const queue = queueOf({ ...queued(null, growth), ...other });
    growth.grew(length);
    expect([queue.take(now), queue.length]).toEqual([null, 1]);
  });

  test('is told to others that wait for uploads only once it lies there', () => {
    const growth = new Growth();
    const queue = queueOf(queued(null, growth));
    expect(queue.isPressing).toBe(false);
    growth.end('complete');
    expect(queue.isPressing).toBe(true);
  });
});
