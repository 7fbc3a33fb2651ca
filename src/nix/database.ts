import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { NarScanError } from '../model/errors.ts';
import { sqlite } from './sqlite.ts';

/** The only schema there has been since Nix 2.0; Lix has the same. */
const SCHEMA = '10';
/** How long a locked database is waited for. */
const BUSY_MS = 3000;
/** Offset of the byte that says how the database is read: 2 is with a write-ahead log. */
const READ_VERSION = 19;
const WITH_LOG = 2;

const QUERY = `select reference.path as path from ValidPaths as referrer
  join Refs on Refs.referrer = referrer.id join ValidPaths as reference on Refs.reference = reference.id
  where referrer.path = ?`;

/**
 * The references of store paths, as the Nix database of `stateDir` has them; paths that it does not
 * know are not in the map. Read directly, without writing anything: the nix programs of all
 * versions print references of many paths in one heap or in formats of their own.
 *
 * @param stateDir such as `/nix/var/nix`
 * @throws NarScanError NIX_DATABASE_VERSION, NIX_DATABASE_LOCKED, NIX_DATABASE_UNREADABLE
 */
export function referencesOf(
  stateDir: string,
  storePaths: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const file = `${stateDir}/db/db.sqlite`;
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return new Map();
    checkSchema(stateDir);
    return (isSettled(file) ? querySettled(file, storePaths) : null) ?? query(file, false, storePaths);
  } catch (error) {
    throw error instanceof NarScanError ? error : fault(file, error);
  }
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

/** Reads without locks, because there is no writer; null where one came meanwhile. */
function querySettled(
  file: string,
  storePaths: readonly string[],
): ReadonlyMap<string, readonly string[]> | null {
  const before = stamp(file);
  try {
    const found = query(file, true, storePaths);
    return stamp(file) === before ? found : null;
  } catch (error) {
    if (stamp(file) === before) throw error;
    return null;
  }
}

function query(
  file: string,
  settled: boolean,
  storePaths: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const database = open(file, settled);
  try {
    database.exec(`pragma busy_timeout = ${BUSY_MS}`);
    const known = database.prepare('select 1 from ValidPaths where path = ?');
    const references = database.prepare(QUERY);
    for (const path of storePaths) {
      if (known.get(path) === undefined) continue;
      found.set(
        path,
        references.all(path).map(({ path: reference }) => String(reference)),
      );
    }
  } finally {
    database.close();
  }
  return found;
}

/** @param settled nobody has it open for writing: then not even the log's index is to be made */
function open(file: string, settled: boolean): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('mode', 'ro');
  if (settled) url.searchParams.set('immutable', '1');
  return new (sqlite().DatabaseSync)(url, { readOnly: true });
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
  const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const locked = /\b(?:locked|busy)\b/.test(reason);
  return new NarScanError(
    locked ? 'NIX_DATABASE_LOCKED' : 'NIX_DATABASE_UNREADABLE',
    `the Nix database '${file}' ${locked ? 'is locked' : `cannot be read (${reason})`}`,
    { cause: error },
  );
}
