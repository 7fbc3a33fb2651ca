import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { NarScanError } from '../model/errors.ts';
import { parseNarHash } from './narHash.ts';
import { sqlite } from './sqlite.ts';

/** The only schema there has been since Nix 2.0; Lix has the same. */
const SCHEMA = '10';
/** How long a locked database is waited for. */
const BUSY_MS = 3000;
/** Offset of the byte that says how the database is read: 2 is with a write-ahead log. */
const READ_VERSION = 19;
const WITH_LOG = 2;
/** How many paths are listed at once. */
const PAGE = 8192;

const CLOSURE = `with recursive Member(id) as (
    select id from ValidPaths where path in (select value from json_each(?))
    union select reference from Refs join Member on Refs.referrer = Member.id)
  select path from Member left join ValidPaths using (id) order by path`;
/** No store path holds a space: one row for all references takes less time than one for each. */
const INFO = `select hash, narSize, registrationTime, deriver, sigs, ca,
    (select group_concat(reference.path, ' ') from Refs join ValidPaths as reference
      on Refs.reference = reference.id where Refs.referrer = path.id) as refs
  from ValidPaths as path where path.path = ?`;
const LISTED = `select id, path from ValidPaths where id > ? order by id limit ${PAGE}`;

/** What Nix has registered of a valid path. */
export interface PathInfo {
  readonly storePath: string;
  /** `sha256:<nix32>`. What was registered, not what lies there. */
  readonly narHash: string;
  /** Bytes of the NAR; null where it was not registered. */
  readonly narSize: number | null;
  /** Seconds since 1970. */
  readonly registrationTime: number;
  /** A store path, or null where it is not known. */
  readonly deriver: string | null;
  /** `name:base64` each. */
  readonly signatures: readonly string[];
  /** Says that the path is named by its content, such as `fixed:r:sha256:…`; null where it is not. */
  readonly ca: string | null;
  /** Store paths, sorted, the path itself among them if it refers to itself. */
  readonly references: readonly string[];
}

/** A closure: everything that can be reached, sorted; and what was asked for but is not valid. */
export interface Closure {
  readonly paths: readonly string[];
  readonly invalid: readonly string[];
}

/**
 * The Nix database of a state directory. Read directly, without writing anything: the nix programs of
 * all versions print references of many paths in one heap or in formats of their own.
 *
 * Every method throws NarScanError NIX_DATABASE_LOCKED, NIX_DATABASE_UNREADABLE.
 */
export class NixDatabase implements Disposable {
  readonly #file: string;
  #database: DatabaseSync;
  /** How the file was when it was opened without locks, because there was no writer; else null. */
  #settled: string | null;

  private constructor(file: string, settled: string | null) {
    this.#file = file;
    this.#settled = settled;
    this.#database = connect(file, settled !== null);
  }

  /**
   * The database of `stateDir`, or null where there is none. To be disposed of.
   * @param stateDir such as `/nix/var/nix`
   * @throws NarScanError NIX_DATABASE_VERSION, NIX_DATABASE_LOCKED, NIX_DATABASE_UNREADABLE
   */
  static open(stateDir: string): NixDatabase | null {
    const file = `${stateDir}/db/db.sqlite`;
    try {
      if (statSync(file, { throwIfNoEntry: false }) === undefined) return null;
      checkSchema(stateDir);
      const before = stamp(file);
      return new NixDatabase(file, isSettled(file) ? before : null);
    } catch (error) {
      throw fault(file, error);
    }
  }

  /** These store paths and all that they refer to, and so on. */
  closure(storePaths: readonly string[]): Closure {
    const paths = this.#ask((database) => {
      const rows = database.prepare(CLOSURE).all(JSON.stringify(storePaths));
      // Nix keeps these tables in step, but not whoever mends them by hand: a closure would seem to be whole
      if (rows[0]?.['path'] === null)
        throw new Error('a path of the closure refers to one that is not registered');
      return rows.map(pathOf);
    });
    const members = new Set(paths);
    return { paths, invalid: storePaths.filter((path) => !members.has(path)) };
  }

  /** What is registered of these store paths; those that are not valid are not in the map. */
  infos(storePaths: readonly string[]): ReadonlyMap<string, PathInfo> {
    return this.#ask((database) => {
      const found = new Map<string, PathInfo>();
      const info = database.prepare(INFO);
      for (const storePath of storePaths) {
        const row = info.get(storePath);
        if (row !== undefined) found.set(storePath, infoOf(storePath, row));
      }
      return found;
    });
  }

  /** Every valid path, in the order in which they were registered; some at a time are in memory. */
  *allPaths(): Generator<string, void, undefined> {
    for (let last = 0; ;) {
      const after = last;
      const rows = this.#ask((database) => database.prepare(LISTED).all(after));
      for (const row of rows) {
        last = Number(row['id']);
        yield pathOf(row);
      }
      if (rows.length < PAGE) return;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** What `act` finds. What was read without locks is read again with them where a writer came meanwhile. */
  #ask<T>(act: (database: DatabaseSync) => T): T {
    try {
      if (this.#settled !== null) {
        const found = this.#unlocked(act);
        if (found !== null) return found.value;
        this.#database.close();
        this.#settled = null;
        this.#database = connect(this.#file, false);
      }
      return act(this.#database);
    } catch (error) {
      throw fault(this.#file, error);
    }
  }

  #unlocked<T>(act: (database: DatabaseSync) => T): { readonly value: T } | null {
    try {
      const value = act(this.#database);
      return stamp(this.#file) === this.#settled ? { value } : null;
    } catch (error) {
      if (stamp(this.#file) === this.#settled) throw error;
      return null;
    }
  }
}

/**
 * What the Nix database of `stateDir` has registered of store paths; paths that are not valid, or all where
 * there is no database, are not in the map.
 *
 * @param stateDir such as `/nix/var/nix`
 * @throws NarScanError NIX_DATABASE_VERSION, NIX_DATABASE_LOCKED, NIX_DATABASE_UNREADABLE
 */
export function pathInfosOf(stateDir: string, storePaths: readonly string[]): ReadonlyMap<string, PathInfo> {
  using database = NixDatabase.open(stateDir);
  return database?.infos(storePaths) ?? new Map<string, PathInfo>();
}

function infoOf(storePath: string, row: Record<string, SQLOutputValue>): PathInfo {
  const { narSize, registrationTime } = row;
  const hash = textOf(row['hash']) ?? '';
  const narHash = parseNarHash(hash);
  if (narHash === null) throw new Error(`the hash of '${storePath}' is no SHA-256: '${hash}'`);
  return {
    storePath,
    narHash,
    // 0 is what old versions wrote for a size that they did not know
    narSize: typeof narSize === 'number' && narSize > 0 ? narSize : null,
    registrationTime: Number(registrationTime),
    deriver: textOf(row['deriver']),
    signatures: wordsOf(row['sigs']),
    ca: textOf(row['ca']),
    references: wordsOf(row['refs']).toSorted(),
  };
}

function wordsOf(value: SQLOutputValue | undefined): readonly string[] {
  return (textOf(value) ?? '').split(' ').filter((word) => word !== '');
}

/** The text of a column; null where there is none. */
function textOf(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function pathOf({ path }: Record<string, SQLOutputValue>): string {
  return String(path);
}

function checkSchema(stateDir: string): void {
  const schema = readFileSync(`${stateDir}/db/schema`, 'utf8').trim();
  if (schema === SCHEMA) return;
  const shown = /^[0-9]{1,9}$/.test(schema) ? schema : 'of another kind';
  throw new NarScanError(
    'NIX_DATABASE_VERSION',
    `the schema of the Nix database in '${stateDir}/db' is ${shown}, not ${SCHEMA}`,
  );
}

/** @param settled nobody has it open for writing: then not even the log's index is to be made */
function connect(file: string, settled: boolean): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('mode', 'ro');
  if (settled) url.searchParams.set('immutable', '1');
  const database = new (sqlite().DatabaseSync)(url, { readOnly: true });
  database.exec(`pragma busy_timeout = ${BUSY_MS}`);
  return database;
}

/** Whether all that was written is in the file itself: it has a write-ahead log, and that is empty. */
function isSettled(file: string): boolean {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0) return false;
  const fd = openSync(file, 'r');
  try {
    const byte = Buffer.alloc(1);
    return readSync(fd, byte, 0, 1, READ_VERSION) === 1 && byte[0] === WITH_LOG;
  } finally {
    closeSync(fd);
  }
}

function stamp(file: string): string {
  return [file, `${file}-wal`]
    .map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }))
    .map((stats) => (stats === undefined || stats.size === 0n ? '-' : `${stats.size} ${stats.mtimeNs}`))
    .join('\n');
}

function fault(file: string, error: unknown): NarScanError {
  if (error instanceof NarScanError) return error;
  const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const locked = /\b(?:locked|busy)\b/.test(reason);
  return new NarScanError(
    locked ? 'NIX_DATABASE_LOCKED' : 'NIX_DATABASE_UNREADABLE',
    `the Nix database '${file}' ${locked ? 'is locked' : `cannot be read (${reason})`}`,
    { cause: error },
  );
}
