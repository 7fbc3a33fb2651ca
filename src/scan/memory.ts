import type { ByteString } from '../model/bytes.ts';
import type { OutputFacts } from '../model/facts.ts';

/** A store path that is to be scanned, and what its facts depend on besides its content and the run. */
export interface MemoryQuery {
  readonly storePath: string;
  /** Where it lies on disk. */
  readonly path: ByteString;
  /** Hash parts of the output itself and of its references. */
  readonly hashParts: readonly string[];
  /** Whether its references are known: facts are weighed by them. */
  readonly referencesKnown: boolean;
  /** Aliases of the store that outputs before it have shown. */
  readonly aliases: readonly string[];
}

/**
 * What is remembered of store paths that were scanned before under the same rules, limits and
 * needles (those of the whole run are the implementation's own business). Facts only: verdicts are
 * made of them anew each time.
 */
export interface FactMemory {
  /** Facts of those that are known and lie there unchanged; what is not in the map is to be scanned. */
  recall(queries: readonly MemoryQuery[]): Promise<ReadonlyMap<MemoryQuery, OutputFacts>>;
  /** Keeps the facts of what was scanned as a whole; `narHash` is of the very bytes that were scanned. */
  remember(query: MemoryQuery, facts: OutputFacts & { readonly narHash: string }): Promise<void>;
}
