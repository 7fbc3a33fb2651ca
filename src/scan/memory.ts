import type { ContainerLimits } from '../inspect/containers/budget.ts';
import type { ByteString } from '../model/bytes.ts';
import type { GapReason, OutputFacts } from '../model/facts.ts';
import type { NeedleContext } from '../needles/compile.ts';
import type { PathInfo } from '../nix/database.ts';

/** What the facts of all outputs of a run depend on, besides the program itself. */
export interface RunConditions {
  readonly context: NeedleContext;
  readonly limits: ContainerLimits;
  /** Whether facts are told with the BLAKE3 of the entry's content. */
  readonly digests: boolean;
}

/** A valid store path that is to be scanned, and what its facts depend on besides its content and the run. */
export interface MemoryQuery {
  /** Where it lies on disk. */
  readonly path: ByteString;
  /** What Nix has registered of it: what it refers to weighs its facts. */
  readonly info: PathInfo;
  /** Aliases of the store that outputs before it have shown. */
  readonly aliases: readonly string[];
}

/**
 * What is remembered of store paths that were scanned before under the same conditions. Facts only:
 * verdicts are made of them anew each time.
 */
export interface FactMemory {
  /** Facts of those that are known and lie there unchanged; what is not in the map is to be scanned. */
  recall(queries: readonly MemoryQuery[]): Promise<ReadonlyMap<MemoryQuery, OutputFacts>>;
  /**
   * Keeps the facts of what was scanned as a whole, after {@link recall} was asked for it: what was
   * changed since then is not kept. `narHash` is of the very bytes that were scanned.
   */
  remember(query: MemoryQuery, facts: OutputFacts & { readonly narHash: string }): void;
  /** Resolves when what was to be kept outlives this process, or cannot be kept. */
  close(): Promise<void>;
}

/** Gaps that another scan of the same bytes may not have. */
const PASSING: ReadonlySet<GapReason> = new Set(['internal', 'limit-time', 'limit-memory', 'unreadable']);

/** Whether every scan of the same bytes under the same conditions finds the same. */
export function areLasting(facts: OutputFacts): facts is OutputFacts & { readonly narHash: string } {
  return facts.narHash !== null && !facts.gaps.some(({ reason }) => PASSING.has(reason));
}
