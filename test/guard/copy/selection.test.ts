import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referencesFirst, select } from '../../../src/guard/copy/selection.ts';
import { ClosureGraph } from '../../../src/guard/closureGraph.ts';
import type { PathStanding, Standing } from '../../../src/guard/standing.ts';
import { closureIn } from '../../support/closures.ts';

const standing = (storePath: string, kind: Standing): PathStanding => ({
  storePath,
  standing: kind,
  narHash: null,
  facts: null,
  result: null,
  blocking: [],
  denial: null,
  release: null,
});

/** References to paths of a lower number only, as no store has circles; and to themselves. */
const anyClosure = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc
    .tuple(...Array.from({ length: size }, (_, number) => fc.uniqueArray(fc.nat(number), { maxLength: 4 })))
    .chain((edges) => {
      const references = edges.map((of, number) => [`p${number}`, of.map((to) => `p${to}`)] as const);
      // told in any order
      return fc.shuffledSubarray(references, { minLength: size }).map((all) => closureIn(new Map(all)));
    }),
);
const KINDS: readonly Standing[] = ['clean', 'released', 'contaminated', 'incomplete', 'denied'];

describe('what is selected of a closure', () => {
  it('is all that may leave, each behind what it refers to; and why the rest stays', () => {
    fc.assert(
      fc.property(anyClosure, fc.array(fc.constantFrom(...KINDS), { minLength: 12 }), (closure, kinds) => {
        const paths = [...closure.keys()];
        const standings = new Map(
          paths.map((path, index) => [path, standing(path, kinds[index] ?? 'clean')] as const),
        );
        const blocked = [...standings.values()].filter((of) => KINDS.indexOf(of.standing) > 1);
        const references = new Map(paths.map((path) => [path, closure.get(path)?.references ?? []] as const));
        const graph = new ClosureGraph(
          references,
          blocked.map(({ storePath }) => storePath),
        );
        const { free, blocking, kept } = select(closure, { standings, graph });
        expect([...free, ...kept].toSorted()).toEqual(paths.toSorted());
        for (const [index, path] of free.entries()) {
          const before = free.slice(0, index + 1);
          for (const reference of references.get(path) ?? []) expect(before).toContain(reference);
        }
        expect(blocking.map(({ standing: of }) => of.storePath)).toEqual(
          blocked.map(({ storePath }) => storePath).toSorted(),
        );
        const explained = new Set(
          blocking.flatMap(({ standing: of, dependents }) => [of.storePath, ...dependents]),
        );
        expect([...explained].toSorted()).toEqual(kept);
      }),
    );
  });

  it('is in an order even where paths refer to each other in a circle', () => {
    const order = referencesFirst(closureIn(new Map([['a', ['b']], ['b', ['c']], ['c', ['a', 'lib']], ['lib', []]]))); // prettier-ignore
    expect(order).toHaveLength(4);
    expect(order.indexOf('lib')).toBeLessThan(order.indexOf('c'));
  });

  it('is in an order of a chain of any length', () => {
    const names = Array.from({ length: 20_000 }, (_, number) => `p${number}`);
    const chain = new Map(names.map((name, index) => [name, names.slice(index + 1, index + 2)]));
    expect(referencesFirst(closureIn(chain))).toEqual(names.toReversed());
  });
});
