import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import blakeHash from '@napi-rs/blake-hash';
import type { OutputFacts } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { FactsKey, KnownPath, ScanRecord, TrailHead } from '../ledger.ts';
import { bytesOfFound, foundOfBytes } from './foundBytes.ts';
import { Statements } from './statements.ts';

/** Records between two looks at how large the database has grown. */
const LOOK_EVERY = 512;
/** Facts that are dropped at once. */
const DROPPED = 256;
/** What is left of the most that the database may hold after it was reached. */
const LEFT = 0.9;

type Row = Record<string, SQLOutputValue>;

/**
 * What the tables of a ledger hold, in the words of {@link Ledger}.
 *
 * SQLite keeps no sums of its pages, so each record of facts has one: what a failing disk made of it
 * is not known, never something else. Every method throws the error of SQLite.
 */
export class LedgerTables {
  readonly #statements: Statements;
  readonly #limits: { readonly ledgerBytes: number; readonly ledgerScans: number };
  #sinceLook = 0;

  constructor(
    database: DatabaseSync,
    limits: typeof LIMITS | { ledgerBytes: number; ledgerScans: number } = LIMITS,
  ) {
    this.#statements = new Statements(database);
    this.#limits = limits;
  }

  narHashes(paths: readonly Omit<KnownPath, 'narHash'>[]): ReadonlyMap<string, string> {
    return this.#statements.together('begin', () => {
      const found = new Map<string, string>();
      const select = this.#statements.prepared('select stamp, nar_hash from paths where store_path = ?');
      for (const { storePath, stamp } of paths) {
        const row = select.get(storePath);
        if (row?.['stamp'] === stamp) found.set(storePath, String(row['nar_hash']));
      }
      return found;
    });
  }

  facts(keys: readonly FactsKey[]): ReadonlyMap<FactsKey, OutputFacts> {
    return this.#statements.together('begin', () => {
      const known = new Map<FactsKey, OutputFacts>();
      const select = this.#statements.prepared(
        'select found, digest from facts where nar_hash = ? and context = ?',
      );
      for (const key of keys) {
        const row = select.get(key.narHash, key.context);
        const facts = row === undefined ? null : factsOf(key, row);
        if (facts !== null) known.set(key, facts);
      }
      return known;
    });
  }

  remember(records: readonly ScanRecord[]): void {
    this.#statements.together('begin immediate', () => {
      for (const record of records) this.#remember(record);
    });
    this.#sinceLook += records.length;
    if (this.#sinceLook >= LOOK_EVERY) this.prune();
  }

  history(storePath: string): readonly Omit<ScanRecord, 'facts'>[] {
    return this.#statements
      .prepared('select * from scans where store_path = ? order by id desc')
      .all(storePath)
      .map((row) => ({
        key: { narHash: String(row['nar_hash']), context: String(row['context']) },
        path: { storePath, stamp: String(row['stamp']), narHash: String(row['nar_hash']) },
        version: String(row['version']),
        at: Number(row['at']),
        by: String(row['by']),
      }));
  }

  trailHead(): TrailHead | null {
    const row = this.#statements.prepared('select sequence, hash from trail_head').get();
    return row === undefined ? null : { sequence: Number(row['sequence']), hash: String(row['hash']) };
  }

  sawTrailHead({ sequence, hash }: TrailHead): void {
    this.#statements
      .prepared(
        `insert into trail_head values (1, ?, ?) on conflict do update
       set sequence = excluded.sequence, hash = excluded.hash where excluded.sequence > sequence`,
      )
      .run(sequence, hash);
  }

  /** Keeps the database to its size: first goes what no path refers to any more, the oldest of it first. */
  prune(): void {
    this.#sinceLook = 0;
    this.#statements
      .prepared('delete from scans where id <= (select max(id) from scans) - ?')
      .run(this.#limits.ledgerScans);
    if (this.#bytes() <= this.#limits.ledgerBytes) return;
    const wanted = LEFT * this.#limits.ledgerBytes;
    while (this.#bytes() > wanted && this.#drop(UNUSED) > 0);
    while (this.#bytes() > wanted && this.#drop('') > 0);
  }

  #remember({ key: { narHash, context }, path, facts, version, at, by }: ScanRecord): void {
    const found = bytesOfFound(facts);
    if (found === null) return;
    this.#statements
      .prepared(
        `insert into facts (nar_hash, context, at, found, digest) values (?, ?, ?, ?, ?)
       on conflict (nar_hash, context) do update
       set at = excluded.at, found = excluded.found, digest = excluded.digest`,
      )
      .run(narHash, context, at, found, digestOf({ narHash, context }, found));
    if (path === null) return;
    this.#statements
      .prepared('insert or replace into paths values (?, ?, ?, ?)')
      .run(path.storePath, path.stamp, path.narHash, context);
    this.#statements
      .prepared(
        `insert into scans (store_path, nar_hash, context, stamp, version, at, by) values (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(path.storePath, narHash, context, path.stamp, version, at, by);
  }

  #drop(condition: string): number {
    const ids = `select id from facts ${condition} order by at limit ${DROPPED}`;
    const { changes } = this.#statements.prepared(`delete from facts where id in (${ids})`).run();
    return Number(changes);
  }

  /** What the database holds, without what was given free in it. */
  #bytes(): number {
    const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map((name) =>
      Number(this.#statements.prepared(`pragma ${name}`).get()?.[name]),
    ) as [number, number, number];
    return (pages - free) * size;
  }
}

const UNUSED = `where not exists (select 1 from paths
  where paths.nar_hash = facts.nar_hash and paths.context = facts.context)`;

function factsOf(key: FactsKey, { found, digest }: Row): OutputFacts | null {
  if (!(found instanceof Uint8Array) || !(digest instanceof Uint8Array)) return null;
  if (!digestOf(key, found).equals(digest)) return null;
  const facts = foundOfBytes(found);
  return facts === null ? null : { target: '', narHash: key.narHash, ...facts };
}

function digestOf({ narHash, context }: FactsKey, found: Uint8Array): Buffer {
  const key = Buffer.from(`${narHash}\n${context}\n`);
  return blakeHash.blake3(Buffer.concat([key, found]));
}
