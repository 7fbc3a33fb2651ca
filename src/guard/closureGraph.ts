/**
 * Which store paths may leave: those in whose whole closure nothing blocks. A path that something
 * refers to and that nobody knows blocks, too.
 */
export class ClosureGraph {
  readonly #references: ReadonlyMap<string, readonly string[]>;
  readonly #referrers: ReadonlyMap<string, readonly string[]>;
  readonly #blocking: ReadonlySet<string>;
  readonly #withheld: ReadonlySet<string>;

  /**
   * @param references of every known path
   * @param blocking paths that may not leave by themselves
   */
  constructor(references: ReadonlyMap<string, readonly string[]>, blocking: Iterable<string>) {
    this.#references = references;
    const all = new Set(blocking);
    for (const referenced of references.values()) {
      for (const path of referenced) if (!references.has(path)) all.add(path);
    }
    this.#blocking = all;
    this.#referrers = referrersOf(references);
    this.#withheld = reachable(all, this.#referrers);
  }

  /** Whether this path and all that it refers to, and so on, may leave. */
  mayLeave(storePath: string): boolean {
    return this.#references.has(storePath) && !this.#withheld.has(storePath);
  }

  /** What of its own closure keeps this path here, sorted: the path itself, if it blocks, among them. */
  blockersOf(storePath: string): readonly string[] {
    if (this.mayLeave(storePath)) return [];
    const closure = reachable([storePath], this.#references);
    return [...closure].filter((path) => this.#blocking.has(path) || !this.#references.has(path)).toSorted();
  }

  /** This path and all that it refers to, and so on, in no order. */
  closureOf(storePath: string): Iterable<string> {
    return reachable([storePath], this.#references);
  }

  /** One of the shortest ways of references between two paths, without the two; empty where there is none. */
  wayBetween(from: string, to: string): readonly string[] {
    const cameFrom = new Map<string, string | null>([[from, null]]);
    for (const [path] of cameFrom) {
      if (path === to) break;
      for (const next of this.#references.get(path) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, path);
    }
    const way: string[] = [];
    for (let at = cameFrom.get(to) ?? from; at !== from; at = cameFrom.get(at) ?? from) way.unshift(at);
    return way;
  }

  /** Known paths that refer to this one, directly or over others, sorted; without itself. */
  dependentsOf(storePath: string): readonly string[] {
    const found = reachable([storePath], this.#referrers);
    return [...found].filter((path) => path !== storePath).toSorted();
  }
}

function referrersOf(references: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, string[]> {
  const referrers = new Map<string, string[]>();
  for (const [referrer, referenced] of references) {
    for (const path of referenced) {
      const known = referrers.get(path);
      if (known === undefined) referrers.set(path, [referrer]);
      else known.push(referrer);
    }
  }
  return referrers;
}

function reachable(
  from: Iterable<string>,
  edges: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set(from);
  // a set is walked to its end, what is added meanwhile included
  for (const path of found) for (const next of edges.get(path) ?? []) found.add(next);
  return found;
}
