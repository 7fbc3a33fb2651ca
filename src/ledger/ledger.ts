import type { OutputFacts } from '../model/facts.ts';

/**
 * What the facts of an output depend on, as DESIGN.md ("Facts and verdicts are two things") has it.
 * Any other key is another record.
 */
export interface FactsKey {
  /** `sha256:<nix32>`, computed of the bytes that were scanned. */
  readonly narHash: string;
  /**
   * Fingerprint of all else: engine version, rules, needles (homes, aliases, lists), limits, depth,
   * logical store dir, sorted hash parts of the path itself and its references.
   */
  readonly context: string;
}

/** Which content a store path had when it was read, and what would show that it has another one now. */
export interface KnownPath {
  readonly storePath: string;
  /** Device, inode, times of the root, and what the Nix database has registered. */
  readonly stamp: string;
  readonly narHash: string;
}

/** Who scanned what, when, with which version. */
export interface ScanRecord {
  readonly key: FactsKey;
  readonly path: KnownPath | null;
  readonly facts: Omit<OutputFacts, 'target'>;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** User and host. */
  readonly by: string;
}

/** The last record of the audit trail that somebody saw: a trail that has less was cut. */
export interface TrailHead {
  readonly sequence: number;
  readonly hash: string;
}

/**
 * The memory of facts, shared by processes of one machine (SQLite) or of many (PostgreSQL). What it
 * lost or cannot read is not known; it never turns what is not known into anything else.
 */
export interface Ledger {
  /** NarHashes of store paths that carry the same stamp as when they were read; the others are absent. */
  narHashes(paths: readonly Omit<KnownPath, 'narHash'>[]): Promise<ReadonlyMap<string, string>>;
  /** Facts by key, `target` left empty; those that are not known are absent. */
  facts(keys: readonly FactsKey[]): Promise<ReadonlyMap<FactsKey, OutputFacts>>;
  /** Resolves when the record outlives this process. */
  remember(record: ScanRecord): Promise<void>;
  /** Scans of one store path, the latest first. */
  history(storePath: string): Promise<readonly Omit<ScanRecord, 'facts'>[]>;
  trailHead(): Promise<TrailHead | null>;
  /** Never goes back. */
  sawTrailHead(head: TrailHead): Promise<void>;
  close(): Promise<void>;
}
