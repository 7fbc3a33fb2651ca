import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayStart, spanOf } from '../../src/model/when.ts';

describe('spans of time', () => {
  it('are minutes, hours, days or weeks', () => {
    expect(spanOf('90m')).toBe(90 * 60_000);
    expect(spanOf('36h')).toBe(36 * 3_600_000);
    expect(spanOf('30d')).toBe(30 * 86_400_000);
    expect(spanOf('2w')).toBe(14 * 86_400_000);
    expect(['', '7', 'd', '-1d', '1.5d', '7 d', '7D', '1000000d', '7dd'].map(spanOf)).toEqual(
      Array(9).fill(null),
    );
  });
});

describe('days', () => {
  it('begin in UTC', () => {
    expect(dayStart('2027-01-31')?.toISOString()).toBe('2027-01-31T00:00:00.000Z');
  });

  it('must be in a calendar', () => {
    const none = ['2027-02-30', '2027-13-01', '2027-00-10', '27-01-01', '2027-1-1', '2027-01-31T00:00', ''];
    expect(none.map(dayStart)).toEqual(none.map(() => null));
  });

  it('are read as they are written', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        const text = date.toISOString().slice(0, 10);
        expect(dayStart(text)?.toISOString().slice(0, 10)).toBe(text);
      }),
    );
  });
});
