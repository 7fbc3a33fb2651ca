import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { TrailHead } from '../../ledger/ledger.ts';
import { saysDamaged } from '../../ledger/sqlite/fault.ts';
import { schemaVersion } from '../../ledger/sqlite/migration.ts';
import { Statements } from '../../ledger/sqlite/statements.ts';
import { sqlite } from '../../nix/sqlite.ts';
import { hashPartOf } from '../../nix/storePath.ts';
import type { Digest } from '../../report/ids.ts';
import type { Denial, Release } from '../decision.ts';
import { decisionSum } from './decisionSum.ts';
import { denialOfRow, type OutputRow, outputOfRow, releaseOfRow, type Row } from './indexRows.ts';
import type { AuditRecord } from './record.ts';

export type { OutputRow } from './indexRows.ts';

/** Another number: the index is made anew. */
const VERSION = 3;
/** Outputs that are read at once. */
const PAGE = 1000;
/** How long another process that writes the index is waited for. */
const BUSY_MILLISECONDS = 2000;

const SCHEMA = `
  create table state (only integer primary key check (only = 1), stamp text, offset integer, lines integer, hash text,
    decisions text);
  create table denials (seq integer primary key, store_path text, hash_part text, nar_hash text, reason text,
    actor text, at integer);
  create index denials_by_part on denials (hash_part);
  create index denials_by_hash on denials (nar_hash);
  create table releases (seq integer primary key, store_path text, nar_hash text, covers text, reason text,
    actor text, at integer, expires integer);
  create index releases_by_path on releases (store_path, nar_hash);
  create table outputs (id text primary key, seq integer, at integer, offset integer, kept integer, hash_part text);
  create index outputs_by_seq on outputs (seq);
  create index outputs_by_part on outputs (hash_part);
  create table lifts (decision integer primary key, seq integer);
  pragma user_version = ${VERSION};
`;

/** Up to where a trail was read, and how its file looked then. */
export interface IndexState {
  readonly stamp: string;
  /** Bytes of the records that were read. */
  readonly offset: number;
  /** The last of them; sequence 0 where there is none. */
  readonly head: TrailHead;
}

const MEMORY = ':memory:';

class OtherVersion extends Error {}

/** Its decisions are not those that it was closed with. */
class Changed extends Error {}

/** Whether an error says that an index will never be of use again. */
export function isUseless(error: unknown): boolean {
  return error instanceof OtherVersion || error instanceof Changed || saysDamaged(error);
}

/**
 * What an audit trail says, ready to be asked: made of the trail alone, and made anew whenever it does
 * not fit. Where it cannot be kept on disk it is kept in memory.
 */
export class TrailIndex implements Disposable {
  readonly inMemory: boolean;
  readonly #database: DatabaseSync;
  readonly #digest: Digest;
  readonly #statements: Statements;
  /** Whether decisions were changed since the state was set. */
  #decided = false;

  private constructor(database: DatabaseSync, digest: Digest, inMemory: boolean) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.#digest = digest;
    this.inMemory = inMemory;
  }

  /** @param file null: in memory */
  static open(file: string | null, digest: Digest): TrailIndex {
    if (file === null) return TrailIndex.#at(MEMORY, digest);
    try {
      return TrailIndex.#at(file, digest);
    } catch (error) {
      // whoever cannot have it on disk, because another writes it or nobody may, has it in memory
      return TrailIndex.open(isUseless(error) && TrailIndex.remove(file) ? file : null, digest);
    }
  }

  /** Takes an index away that is damaged: the trail has it all. Whether that was possible. */
  static remove(file: string): boolean {
    try {
      for (const end of ['', '-journal']) rmSync(`${file}${end}`, { force: true });
      return true;
    } catch {
      return false;
    }
  }

  static #at(file: string, digest: Digest): TrailIndex {
    const { DatabaseSync } = sqlite();
    const database = new DatabaseSync(file, { timeout: BUSY_MILLISECONDS });
    try {
      // a power cut may not leave half of a transaction
      database.exec('pragma synchronous = normal');
      const index = new TrailIndex(database, digest, file === MEMORY);
      if (schemaVersion(database) !== VERSION) {
        index.transaction(() => {
          if (schemaVersion(database) !== 0) throw new OtherVersion();
          database.exec(SCHEMA);
        });
      }
      index.#refuseChanged();
      return index;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Does several things at once, or none of them. @throws what `act` throws, and errors of SQLite */
  transaction(act: () => void): void {
    this.#statements.together('begin immediate', act);
  }

  state(): IndexState | null {
    const row = this.#get('select stamp, offset, lines, hash from state');
    if (row === undefined) return null;
    return {
      stamp: String(row['stamp']),
      offset: Number(row['offset']),
      head: { sequence: Number(row['lines']), hash: String(row['hash']) },
    };
  }

  /** A hash over all decisions, as of the state; null where there is none. */
  decisionSum(): string | null {
    return this.#knownSum();
  }

  setState({ stamp, offset, head }: IndexState): void {
    const known = this.#decided ? null : this.#knownSum();
    const sum = known ?? decisionSum(this.#database, this.#digest);
    const { sequence, hash } = head;
    this.#run('insert or replace into state values (1, ?, ?, ?, ?, ?)', stamp, offset, sequence, hash, sum);
    this.#decided = false;
  }

  clear(): void {
    this.#decided = true;
    for (const table of ['state', 'denials', 'releases', 'outputs', 'lifts'])
      this.#database.exec(`delete from ${table}`);
  }

  /** @param offset of its line */
  add(record: AuditRecord, offset: number): void {
    const { seq, actor } = record;
    const at = Date.parse(record.at);
    switch (record.event) {
      case 'quarantined':
        this.#run(
          'insert or replace into outputs values (?, ?, ?, ?, ?, ?)',
          record.id,
          seq,
          at,
          offset,
          record.kept,
          hashPartOf(record.storePath),
        );
        return;
      case 'purged':
        this.#run('update outputs set kept = null where id = ?', record.id);
        return;
      case 'denied': {
        this.#decided = true;
        const { storePath, hashPart, narHash, reason } = record;
        this.#run(
          'insert into denials values (?, ?, ?, ?, ?, ?, ?)',
          seq,
          storePath,
          hashPart,
          narHash,
          reason,
          actor,
          at,
        );
        return;
      }
      case 'released': {
        this.#decided = true;
        const { storePath, narHash, reason } = record;
        const expires = record.expires === null ? null : Date.parse(record.expires);
        const covers = JSON.stringify(record.covers);
        this.#run(
          'insert into releases values (?, ?, ?, ?, ?, ?, ?, ?)',
          seq,
          storePath,
          narHash,
          covers,
          reason,
          actor,
          at,
          expires,
        );
        return;
      }
      case 'lifted':
        this.#decided = true;
        this.#run('delete from denials where seq = ?', record.decision);
        this.#run('delete from releases where seq = ?', record.decision);
        this.#run('insert or ignore into lifts values (?, ?)', record.decision, seq);
        return;
      case 'withheld':
      case 'rejected':
      case 'exported':
      case 'settled':
        return;
    }
  }

  /** Denials of a hash part or a content, the latest first. */
  denialsOf(hashPart: string | null, narHash: string | null): readonly Denial[] {
    const query = 'select * from denials where hash_part = ? or nar_hash = ? order by seq desc';
    return this.#all(query, hashPart, narHash).map(denialOfRow);
  }

  /** All denials, the oldest first. */
  denials(): readonly Denial[] {
    return this.#all('select * from denials order by seq').map(denialOfRow);
  }

  /** All releases, expired ones, too, the oldest first. */
  releases(): readonly Release[] {
    return this.#all('select * from releases order by seq').map(releaseOfRow);
  }

  /** Releases of one content of one store path, the latest first. */
  releasesOf(storePath: string, narHash: string): readonly Release[] {
    const rows = this.#all(
      'select * from releases where store_path = ? and nar_hash = ? order by seq desc',
      storePath,
      narHash,
    );
    return rows.map(releaseOfRow);
  }

  /** What the record with this number decided, if that was not lifted. */
  decision(sequence: number): Denial | Release | null {
    const denial = this.#get('select * from denials where seq = ?', sequence);
    if (denial !== undefined) return denialOfRow(denial);
    const release = this.#get('select * from releases where seq = ?', sequence);
    return release === undefined ? null : releaseOfRow(release);
  }

  /** The number of the record that lifted what another one decided. */
  liftOf(sequence: number): number | null {
    const row = this.#get('select seq from lifts where decision = ?', sequence);
    return row === undefined ? null : Number(row['seq']);
  }

  /**
   * Some quarantined outputs, the oldest first.
   * @param since milliseconds since 1970
   * @param after number of the record after which they are wanted; 0: from the first on
   */
  outputs(since: number, after: number): readonly OutputRow[] {
    const query = 'select * from outputs where seq > ? and at >= ? order by seq limit ?';
    return this.#all(query, after, since, PAGE).map(outputOfRow);
  }

  /** Some quarantined outputs, the latest first. @param before number of the record before which they are wanted */
  outputsBefore(before: number, most: number): readonly OutputRow[] {
    const query = 'select * from outputs where seq < ? order by seq desc limit ?';
    return this.#all(query, before, most).map(outputOfRow);
  }

  /** Some of store paths with this hash part, the latest first. @param before as for {@link outputsBefore} */
  outputsAt(hashPart: string, before: number): readonly OutputRow[] {
    const query = 'select * from outputs where hash_part = ? and seq < ? order by seq desc limit ?';
    return this.#all(query, hashPart, before, PAGE).map(outputOfRow);
  }

  /** Those whose ids begin so, two at most. @param prefix hexadecimal digits */
  outputsNamed(prefix: string): readonly OutputRow[] {
    return this.#all('select * from outputs where id >= ? and id < ? limit 2', prefix, `${prefix}g`).map(
      outputOfRow,
    );
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** A denial that was lost here would let out what a person refused. @throws Changed, errors of SQLite */
  #refuseChanged(): void {
    this.#statements.together('begin', () => {
      const known = this.#knownSum();
      if (known !== null && known !== decisionSum(this.#database, this.#digest)) throw new Changed();
    });
  }

  /** The hash over the decisions when the state was set; null where none was. */
  #knownSum(): string | null {
    const row = this.#get('select decisions from state');
    return row === undefined ? null : String(row['decisions']);
  }

  #get(query: string, ...values: (string | number | null)[]): Row | undefined {
    return this.#statements.prepared(query).get(...values);
  }

  #all(query: string, ...values: (string | number | null)[]): readonly Row[] {
    return this.#statements.prepared(query).all(...values);
  }

  #run(query: string, ...values: (string | number | null)[]): void {
    this.#statements.prepared(query).run(...values);
  }
}
