import { lstatSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { fsPath } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import type { OutputFacts } from '../model/facts.ts';
import type { FactMemory, MemoryQuery } from '../scan/memory.ts';
import type { FactsKey, Ledger } from './ledger.ts';

/** What a memory is made of. */
export interface MemoryParts {
  /** Where it is looked for, one after another. */
  readonly readers: readonly Ledger[];
  /** Where it is kept; null: nothing is. */
  readonly writer: Ledger | null;
  /** The fingerprint of everything that facts depend on besides the content. */
  readonly contextOf: (query: MemoryQuery) => string;
  readonly version: string;
  /** Told of faults that keep something from being remembered, once of each kind. */
  readonly warn: (error: NarScanError) => void;
}

/** The memory of one run, over ledgers. */
export class LedgerMemory implements FactMemory {
  readonly #parts: MemoryParts;
  readonly #by = whoScans();
  /** How the paths were when they were asked for. */
  readonly #stamps = new WeakMap<MemoryQuery, string>();
  readonly #keeping = new Set<Promise<void>>();
  #warned = false;

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  async recall(queries: readonly MemoryQuery[]): Promise<ReadonlyMap<MemoryQuery, OutputFacts>> {
    const found = new Map<MemoryQuery, OutputFacts>();
    for (const query of queries) {
      const stamp = stampOf(query);
      if (stamp !== null) this.#stamps.set(query, stamp);
    }
    for (const reader of this.#parts.readers) {
      const missing = queries.filter((query) => !found.has(query));
      for (const [query, facts] of await this.#ask(reader, missing)) found.set(query, facts);
    }
    return found;
  }

  remember(query: MemoryQuery, facts: OutputFacts & { readonly narHash: string }): void {
    const { writer, contextOf, version } = this.#parts;
    const stamp = this.#stamps.get(query);
    // what was changed while it was scanned is nothing that later scans could find again
    if (writer === null || stamp === undefined || stampOf(query) !== stamp) return;
    const { narHash, storePath } = facts;
    const path = { storePath: query.info.storePath, stamp, narHash };
    const key = { narHash, context: contextOf(query) };
    const { findings, gaps, stats } = facts;
    const kept = { storePath, narHash, findings, gaps, stats };
    const record = { key, path, facts: kept, version, at: Date.now(), by: this.#by };
    const keeping = writer.remember(record).catch((error: unknown) => this.#notKept(error));
    this.#keeping.add(keeping);
    void keeping.finally(() => this.#keeping.delete(keeping));
  }

  async close(): Promise<void> {
    const { readers, writer } = this.#parts;
    // closing writes what waits for more
    for (const ledger of new Set([...readers, ...(writer === null ? [] : [writer])])) await ledger.close();
    await Promise.all(this.#keeping);
  }

  async #ask(
    reader: Ledger,
    queries: readonly MemoryQuery[],
  ): Promise<readonly (readonly [MemoryQuery, OutputFacts])[]> {
    const first = new Map<string, string>();
    const stamped = queries.flatMap((query) => {
      const { storePath } = query.info;
      const stamp = this.#stamps.get(query);
      if (stamp === undefined) return [];
      // a path that is asked for twice and was changed in between is not known the second time
      if (!first.has(storePath)) first.set(storePath, stamp);
      return first.get(storePath) === stamp ? [{ query, stamp, storePath }] : [];
    });
    const narHashes = await reader.narHashes(stamped);
    const keys = new Map<FactsKey, MemoryQuery>();
    for (const { query, storePath } of stamped) {
      const narHash = narHashes.get(storePath);
      // what is not as it was registered is an error, which is to be found anew
      if (narHash !== query.info.narHash) continue;
      keys.set({ narHash, context: this.#parts.contextOf(query) }, query);
    }
    const facts = await reader.facts([...keys.keys()]);
    return [...facts].flatMap(([key, known]) => {
      const query = keys.get(key);
      return query === undefined ? [] : [[query, known] as const];
    });
  }

  /** Nothing is lost by it but time: it will be scanned again. */
  #notKept(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    if (error instanceof NarScanError) this.#parts.warn(error);
    else throw error;
  }
}

/**
 * What changes when something is put in a store path's place, or Nix registers it anew: device, inode
 * and times of its root, and what is registered. Null where it cannot be looked at.
 */
function stampOf({ path, info }: MemoryQuery): string | null {
  try {
    const { dev, ino, mtimeNs, ctimeNs } = lstatSync(fsPath(path), { bigint: true });
    return [dev, ino, mtimeNs, ctimeNs, info.registrationTime, info.narHash].join(' ');
  } catch {
    return null;
  }
}

function whoScans(): string {
  let user = String(process.geteuid?.() ?? 'unknown');
  try {
    user = userInfo().username;
  } catch {
    // a user whom no database knows has a number only
  }
  return `${user}@${hostname()}`;
}
