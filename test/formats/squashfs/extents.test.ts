import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extents } from '../../../src/formats/squashfs/extents.ts';

const SIZE = 200;

describe('what no range holds', () => {
  it('is what a map of every byte says', () => {
    const range = fc.tuple(fc.nat(SIZE), fc.nat(40)).map(([from, length]) => [from, from + length] as const);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), fc.nat(SIZE), fc.nat(SIZE), (ranges, one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const held = new Uint8Array(2 * SIZE);
        const extents = new Extents();
        for (const [start, end] of ranges) {
          extents.add(start, end);
          held.fill(1, start, end);
        }
        const found = new Uint8Array(2 * SIZE).fill(1);
        for (const [start, end] of extents.holes(from, to)) found.fill(0, start, end);
        for (let at = from; at < to; at += 1) expect(found[at], `byte ${at}`).toBe(held[at]);
        expect(found.subarray(0, from).includes(0) || found.subarray(to).includes(0)).toBe(false);
      }),
    );
  });

  it('is told of more ranges than there was room for at first', () => {
    const extents = new Extents();
    for (let at = 20_000; at > 0; at -= 1) extents.add(3 * at, 3 * at + 2);
    expect([...extents.holes(3, 9)]).toEqual([
      [5, 6],
      [8, 9],
    ]);
    expect([...extents.holes(0, 60_003)].length).toBe(20_001);
  });
});
