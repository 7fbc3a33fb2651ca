import fc from 'fast-check';
import { directory, file, symlink } from './narWriter.ts';
import type { NarTree } from './narWriter.ts';

const byte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 0x2f);
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(byte, { minLength: 1, maxLength }).map((codes) => String.fromCharCode(...codes));
const name = fc
  .oneof(fc.constantFrom('a', 'b', 'c', ')', '(', 'entry', 'name', 'lib'), text(20), text(255))
  .filter((value) => value !== '.' && value !== '..');

const leaf: fc.Arbitrary<NarTree> = fc.oneof(
  fc
    .tuple(fc.uint8Array({ maxLength: 100 }), fc.boolean())
    .map(([contents, executable]) => file(Buffer.from(contents), executable)),
  text(60).map(symlink),
);

/** Any tree of up to about 30 entries, sorted as Nix sorts. */
export const anyTree: fc.Arbitrary<NarTree> = fc.letrec<{ tree: NarTree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .uniqueArray(fc.tuple(name, tie('tree')), { maxLength: 6, selector: ([value]) => value })
      .map((entries) => directory(...entries.toSorted(([one], [other]) => (one < other ? -1 : 1)))),
  ),
})).tree;

/** Sizes of chunks, used over and over. */
export const anyChunkSizes = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 })),
  {
    minLength: 1,
    maxLength: 8,
  },
);
