import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  directoryHead,
  directoryTail,
  fileHead,
  fileTail,
  symlinkNode,
} from '../../../src/formats/nar/writer.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { anyTree } from '../../support/narArbitrary.ts';
import { outcomeOf } from '../../support/narEvents.ts';
import { directory, nar, symlink, type NarTree } from '../../support/narWriter.ts';

function written(tree: NarTree, name: string | null = null, depth = 0): Buffer {
  const place = { name, depth };
  switch (tree.type) {
    case 'file': {
      const { contents, executable } = tree;
      const size = contents.length;
      return Buffer.concat([fileHead(place, executable, size), contents, fileTail(place, size)]);
    }
    case 'symlink':
      return symlinkNode(place, tree.target);
    case 'directory': {
      const entries = tree.entries.map(([entry, node]) => written(node, entry, depth + 1));
      return Buffer.concat([directoryHead(place), ...entries, directoryTail(place)]);
    }
  }
}

const nested = (depth: number): NarTree => (depth === 0 ? symlink('x') : directory(['d', nested(depth - 1)]));

describe('what is written', () => {
  it('is the NAR of the tree, byte for byte', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        expect(written(tree)).toEqual(nar(tree));
      }),
    );
  });

  it.each(['', '.', '..', 'a/b', 'a\0b', 'x'.repeat(256)])('never names an entry %j', (name) => {
    for (const act of [
      () => fileHead({ name, depth: 1 }, false, 1),
      () => symlinkNode({ name, depth: 1 }, 'x'),
      () => directoryHead({ name, depth: 1 }),
    ]) {
      expect(act).toThrow(expect.objectContaining({ code: 'TREE_NOT_SERIALISABLE' }));
    }
  });

  it.each(['', 'a\0b', 'x'.repeat(4096)])('never is a link to what no link leads to', (target) => {
    const act = () => symlinkNode({ name: null, depth: 0 }, target);
    expect(act).toThrow(expect.objectContaining({ code: 'TREE_NOT_SERIALISABLE' }));
  });

  it('is as deep as is read, and no deeper', () => {
    expect(outcomeOf(written(nested(LIMITS.narDepth - 1))).error).toBeNull();
    const tooDeep = nested(LIMITS.narDepth);
    expect(outcomeOf(nar(tooDeep)).error?.code).toBe('NAR_DEPTH');
    expect(() => written(tooDeep)).toThrow(expect.objectContaining({ code: 'TREE_NOT_SERIALISABLE' }));
  });
});
