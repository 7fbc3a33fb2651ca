import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NarListing } from '../../../src/admission/inspection/listing.ts';
import { filesAmong } from '../../../src/admission/publication/listing.ts';
import { LIMITS } from '../../../src/model/limits.ts';

type Entries = ReadonlyMap<string, Entries | 'file' | 'link'>;

/** Names that look like parts of a listing, and others. */
const anyName = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'type',
    'entries',
    'regular',
    'root',
    '__proto__',
    '"',
    '\\',
    '\\"',
    '{',
    '"}{',
    'ü',
    ':',
  ),
  fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }).filter((name) => !/[/\0]|^\.\.?$/.test(name)),
);
const { entries: anyEntries } = fc.letrec<{ entries: Entries; node: Entries | 'file' | 'link' }>((tie) => ({
  entries: fc
    .uniqueArray(fc.tuple(anyName, tie('node')), { maxLength: 4, selector: ([name]) => name })
    .map((pairs) => new Map(pairs)),
  node: fc.oneof({ depthSize: 'small' }, fc.constantFrom('file', 'link'), tie('entries')),
}));

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

/** The listing of a tree, and every path in it with what lies there. */
function listed(tree: Entries): { text: string; kinds: ReadonlyMap<string, string> } {
  const listing = new NarListing();
  const kinds = new Map<string, string>();
  const add = (path: string, node: Entries | 'file' | 'link'): void => {
    if (path !== '') kinds.set(path, typeof node === 'string' ? node : 'directory');
    if (node === 'file') listing.file(bytes(path), false, 3, 100);
    else if (node === 'link') listing.symlink(bytes(path), bytes('"type":"regular"}'));
    else {
      listing.directory(bytes(path));
      for (const [name, child] of node) add(path === '' ? name : `${path}/${name}`, child);
    }
  };
  add('', tree);
  return { text: listing.text() ?? '', kinds };
}

describe('files of a listing', () => {
  it('are those that it has, and nothing else that is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyEntries,
        fc.array(fc.array(anyName, { minLength: 1, maxLength: 3 })),
        async (tree, more) => {
          const { text, kinds } = listed(tree);
          const asked = [
            ...kinds.keys(),
            ...more.map((parts) => parts.join('/')),
            ...[...kinds.keys()].map((path) => `${path}/a`),
          ];
          const files = [...new Set(asked)].filter((path) => kinds.get(path) === 'file');
          expect([...(await filesAmong(text, asked))].toSorted()).toEqual(files.toSorted());
          for (const path of asked)
            expect((await filesAmong(text, [path])).has(path)).toBe(files.includes(path));
        },
      ),
    );
  });

  it('are none where it breaks off before them', async () => {
    const { text } = listed(new Map([['lib', new Map([['x', 'file'] as const])]]));
    for (let length = 0; length <= text.length; length++) {
      const files = await filesAmong(text.slice(0, length), ['lib/x']);
      expect(files.has('lib/x')).toBe(length >= text.indexOf('100}') + 4);
    }
  });

  it('are found where there are very many, while others are served', async () => {
    const listing = new NarListing();
    listing.directory('');
    const name = (number: number): string => `${number}`.padStart(200, '0');
    const count = Math.floor(LIMITS.listingLength / 300);
    for (let number = 0; number < count; number++) listing.file(name(number), false, 1, 0);
    let turns = 0;
    let timer = setImmediate(turn);
    function turn(): void {
      turns++;
      timer = setImmediate(turn);
    }
    const wanted = [name(0), name(count - 1), 'none'];
    const files = await filesAmong(listing.text() ?? '', wanted);
    clearImmediate(timer);
    expect(files).toEqual(new Set(wanted.slice(0, 2)));
    expect(turns).toBeGreaterThan(10);
  });
});
