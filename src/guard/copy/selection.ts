import type { Closure } from '../closure.ts';
import type { GateAnswer } from '../gate.ts';
import { isFree, type PathStanding } from '../standing.ts';

/** A store path that may not leave by itself, and what stays with it. */
export interface Blocking {
  readonly standing: PathStanding;
  /** Other paths of the closure that refer to it, directly or over others; sorted. */
  readonly dependents: readonly string[];
}

/** What of a closure may leave. */
export interface Selection {
  /** Paths whose whole closure may leave, each behind all that it refers to. */
  readonly free: readonly string[];
  /** Sorted by path. */
  readonly blocking: readonly Blocking[];
  /** Paths that stay: those that block, and all that refer to them; sorted. */
  readonly kept: readonly string[];
}

/** Which paths of a closure may leave, by what the gate says of them. */
export function select(
  closure: Closure,
  { standings, graph }: Pick<GateAnswer, 'standings' | 'graph'>,
): Selection {
  const blocking = [...standings.values()]
    .filter(({ standing }) => !isFree(standing))
    .map((standing) => ({ standing, dependents: graph.dependentsOf(standing.storePath) }));
  return {
    free: referencesFirst(closure).filter((path) => graph.mayLeave(path)),
    blocking: blocking.toSorted((one, other) => (one.standing.storePath < other.standing.storePath ? -1 : 1)),
    kept: [...closure.keys()].filter((path) => !graph.mayLeave(path)).toSorted(),
  };
}

/** All paths, each behind what it refers to; paths that refer to each other in a circle in any order. */
export function referencesFirst(closure: Closure): readonly string[] {
  const order = new Set<string>();
  const begun = new Set<string>();
  for (const path of closure.keys()) {
    const stack = [path];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const references = begun.has(top) ? [] : (closure.get(top)?.references ?? []);
      begun.add(top);
      const first = references.filter((reference) => !begun.has(reference) && closure.has(reference));
      if (first.length > 0) {
        stack.push(...first);
      } else {
        order.add(top);
        stack.pop();
      }
    }
  }
  return [...order];
}
