import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InOrder } from '../../src/scan/inOrder.ts';

describe('numbered items', () => {
  it('are delivered one at a time in order, however they arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .nat({ max: 30 })
          .chain((length) => fc.shuffledSubarray([...Array(length).keys()], { minLength: length })),
        fc.array(fc.nat({ max: 2 }), { minLength: 31, maxLength: 31 }),
        async (arrivals, delays) => {
          const delivered: number[] = [];
          let busy = 0;
          const order = new InOrder<number>(async (item) => {
            expect(++busy).toBe(1);
            for (let turn = delays[item] ?? 0; turn > 0; turn--) await Promise.resolve();
            delivered.push(item);
            busy--;
          });
          for (const item of arrivals) order.put(item, item);
          await order.settled();
          expect(delivered).toEqual(arrivals.toSorted((a, b) => a - b));
        },
      ),
    );
  });

  it('wait for those before them', async () => {
    const delivered: string[] = [];
    const order = new InOrder<string>(async (item) => void delivered.push(item));
    order.put(1, 'second');
    await order.settled();
    expect(delivered).toEqual([]);
    order.put(0, 'first');
    await order.settled();
    expect(delivered).toEqual(['first', 'second']);
  });

  it('are not delivered behind one that could not be, and the fault is told', async () => {
    const delivered: number[] = [];
    const order = new InOrder<number>(async (item) => {
      if (item === 1) throw new Error('disk full');
      delivered.push(item);
    });
    for (const item of [2, 1, 0, 3]) order.put(item, item);
    await expect(order.settled()).rejects.toThrow('disk full');
    expect(delivered).toEqual([0]);
  });
});
