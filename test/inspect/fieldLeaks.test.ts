import { describe, expect, it } from 'vitest';
import type { Field, RangeReader } from '../../src/formats/ranges.ts';
import { leaksInFields, type FieldLeaks } from '../../src/inspect/fieldLeaks.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { rulesOf } from './support.ts';

function reading(text: string, from = 0, to = text.length): RangeReader {
  const bytes = Buffer.from(text, 'latin1');
  return {
    size: bytes.length,
    // of a stream only [from, to) was kept
    read: (offset, length) =>
      offset < from || offset + length > to ? null : bytes.subarray(offset, offset + length),
  };
}

function field(offset: number, length: number | null = null): Field {
  return { carrier: 'runpath', name: 'DT_RUNPATH', offset, length };
}

function leaks(reader: RangeReader, ...fields: readonly Field[]): FieldLeaks {
  const { set, classifier } = rulesOf();
  return leaksInFields(fields, reader, set, classifier);
}

describe('the strings of fields', () => {
  it('begin at their own first byte and end at the first NUL or as said', () => {
    expect(leaks(reading('libx/home/alice\0'), field(0)).leaks).toEqual([]);
    expect(leaks(reading('libx/home/alice\0'), field(4)).leaks).toMatchObject([
      { leak: { start: 0, end: 11 } },
    ]);
    expect(leaks(reading('/a\0:/home/alice\0'), field(0)).leaks).toEqual([]);
    expect(leaks(reading('/a\0:/home/alice\0'), field(0, 15)).leaks).toHaveLength(1);
    expect(leaks(reading('/a\0:/home/alice\0'), field(0, 3)).leaks).toEqual([]);
  });

  it('are read once each', () => {
    expect(leaks(reading('/home/alice\0'), field(0), field(0)).leaks).toHaveLength(1);
  });

  it('are read as far as they were kept of a stream', () => {
    const text = `/home/alice\0${'x'.repeat(5000)}`;
    expect(leaks(reading(text, 0, 100), field(0))).toMatchObject({ complete: true, leaks: [{}] });
    expect(leaks(reading(text, 100), field(0))).toMatchObject({ complete: false, leaks: [] });
  });

  it('are incomplete where they do not end in what is read, or are more than are read', () => {
    expect(leaks(reading('x'.repeat(LIMITS.contextBytes + 1)), field(0)).complete).toBe(false);
    expect(leaks(reading('x'.repeat(LIMITS.contextBytes)), field(0)).complete).toBe(true);
    const many = Array.from({ length: 600 }, (_, index) => field(index, LIMITS.contextBytes));
    expect(leaks(reading('x'.repeat(10_000)), ...many).complete).toBe(false);
  });

  it('may lie at the end of the file or be empty', () => {
    expect(leaks(reading('abc'), field(3), field(0, 0))).toEqual({ leaks: [], complete: true });
  });
});
