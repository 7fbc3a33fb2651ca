import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClosureGraph } from '../../src/guard/closureGraph.ts';

/** Graphs of up to 12 paths, cycles and references to themselves and to unknown paths included. */
const graphs = fc.integer({ min: 1, max: 12 }).chain((size) => {
  const edge = fc.integer({ min: 0, max: size });
  return fc.record({
    references: fc
      .array(fc.array(edge, { maxLength: 4 }), { minLength: size, maxLength: size })
      .map((all) => new Map(all.map((edges, from) => [`p${from}`, edges.map((to) => `p${to}`)]))),
    blocking: fc.subarray(Array.from({ length: size }, (_, index) => `p${index}`)),
  });
});

/** Everything that can be reached, by repeating until nothing is new. */
function closure(references: ReadonlyMap<string, readonly string[]>, from: string): ReadonlySet<string> {
  let found = new Set([from]);
  for (;;) {
    const next = new Set([...found, ...[...found].flatMap((path) => references.get(path) ?? [])]);
    if (next.size === found.size) return found;
    found = next;
  }
}

describe('a path', () => {
  it('leaves only if nothing in its whole closure blocks or is unknown', () => {
    fc.assert(
      fc.property(graphs, ({ references, blocking }) => {
        const graph = new ClosureGraph(references, blocking);
        for (const path of references.keys()) {
          const all = [...closure(references, path)];
          const blockers = all.filter((one) => blocking.includes(one) || !references.has(one));
          expect(graph.mayLeave(path)).toBe(blockers.length === 0);
          expect(graph.blockersOf(path)).toEqual(blockers.toSorted());
          for (const blocker of blockers) {
            const way = [path, ...graph.wayBetween(path, blocker), blocker];
            const steps = way.slice(1).filter((step, index) => step !== way[index]);
            for (const [index, step] of steps.entries()) {
              expect(references.get([path, ...steps][index] ?? '')).toContain(step);
            }
          }
        }
      }),
    );
  });

  it('leaves only together with all that it refers to', () => {
    fc.assert(
      fc.property(graphs, ({ references, blocking }) => {
        const graph = new ClosureGraph(references, blocking);
        for (const [path, referenced] of references) {
          if (graph.mayLeave(path)) expect(referenced.every((one) => graph.mayLeave(one))).toBe(true);
        }
      }),
    );
  });

  it('has as dependents exactly those in whose closure it is', () => {
    fc.assert(
      fc.property(graphs, ({ references, blocking }) => {
        const graph = new ClosureGraph(references, blocking);
        for (const path of references.keys()) {
          const dependents = [...references.keys()].filter(
            (other) => other !== path && closure(references, other).has(path),
          );
          expect(graph.dependentsOf(path)).toEqual(dependents.toSorted());
        }
      }),
    );
  });

  it('that nobody knows never leaves', () => {
    const graph = new ClosureGraph(new Map([['a', []]]), []);
    expect(graph.mayLeave('b')).toBe(false);
    expect(graph.blockersOf('b')).toEqual(['b']);
  });
});
