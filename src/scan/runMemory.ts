import type { OutputFacts } from '../model/facts.ts';
import { reportError, type ReportError } from '../model/report.ts';
import { areLasting, type FactMemory, type MemoryQuery } from './memory.ts';
import type { Resolved } from './targets.ts';

/** What a run knows of one of its targets from earlier runs, and may tell to later ones. */
export class RunMemory {
  readonly #memory: FactMemory;
  readonly #error: (error: ReportError) => void;
  /** By number of the target, as asked. */
  readonly #queries = new Map<number, MemoryQuery>();

  /** @param error told where the memory fails; what it should know is scanned then */
  constructor(memory: FactMemory, error: (error: ReportError) => void) {
    this.#memory = memory;
    this.#error = error;
  }

  /** Facts of the targets that are known, by their number. */
  async recall(
    asked: readonly (readonly [number: number, target: Resolved, aliases: readonly string[]])[],
  ): Promise<ReadonlyMap<number, OutputFacts>> {
    const queries = new Map<MemoryQuery, readonly [number, Resolved]>();
    for (const [number, target, aliases] of asked) {
      if (!isRemembered(target)) continue;
      const query = { path: target.path, info: target.info, aliases };
      queries.set(query, [number, target]);
      this.#queries.set(number, query);
    }
    const found = new Map<number, OutputFacts>();
    if (queries.size === 0) return found;
    try {
      for (const [query, facts] of await this.#memory.recall([...queries.keys()])) {
        const asking = queries.get(query);
        if (asking === undefined) continue;
        const [number, { argument, storePath }] = asking;
        // what was read now took no time
        const stats = { ...facts.stats, milliseconds: 0 };
        found.set(number, { ...facts, target: argument, storePath, stats });
        this.#queries.delete(number);
      }
    } catch (error) {
      this.#error(reportError(error, null));
    }
    return found;
  }

  /** Keeps what was found at a target, if the next scan would find the same. */
  remember(number: number, facts: OutputFacts): void {
    const query = this.#queries.get(number);
    this.#queries.delete(number);
    if (query !== undefined && areLasting(facts)) this.#memory.remember(query, facts);
  }

  close(): Promise<void> {
    return this.#memory.close();
  }
}

/** Whether a target is one whose facts can be remembered: a valid path of a store. */
export function isRemembered(
  target: Resolved,
): target is Resolved & { readonly path: string; readonly info: NonNullable<Resolved['info']> } {
  return target.kind === 'tree' && target.path !== null && target.info !== null;
}
