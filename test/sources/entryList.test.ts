import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EntryList } from '../../src/sources/entryList.ts';

const list = (entries: readonly string[]): EntryList => {
  const made = new EntryList();
  for (const entry of entries) made.add(entry);
  return made;
};

it('gives back what it was given, in the order of the bytes', () => {
  const entry = fc.oneof(
    fc.constantFrom('', 'a', 'a/b', 'a.b', '\xff/\x01'),
    fc.string({
      unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 600,
    }),
  );
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      expect(list(entries).sorted).toEqual(entries.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
    }),
  );
});

it('has nothing where nothing was added, and the root where that was', () => {
  expect(list([]).sorted).toEqual([]);
  expect(list(['']).sorted).toEqual(['']);
  expect(list(['', '']).sorted).toEqual(['', '']);
});
