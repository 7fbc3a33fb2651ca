import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { syncDirectory } from '../../ledger/durable.ts';
import { asSingle } from '../../ledger/lock.ts';
import { migrateBy, schemaVersion } from '../../ledger/sqlite/migration.ts';
import { NarScanError } from '../../model/errors.ts';
import { sqlite } from '../../nix/sqlite.ts';
import { catalogFault } from './fault.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

const BUSY_MS = 5000;
/** Bytes that the write-ahead log keeps when it was longer. */
const LOG_BYTES = 16 * 1024 * 1024;

/**
 * Opens the database of a catalog. It is made where there is none, under another name first: a file that is
 * empty is therefore never a new one, but one that lost what was in it.
 *
 * @throws NarScanError CATALOG_UNREADABLE, CATALOG_VERSION, STATE_LOCKED
 */
export async function openCatalogFile(path: string): Promise<DatabaseSync> {
  try {
    return await asSingle(`${path}.lock`, () => {
      if (!existsSync(path)) make(path);
      return open(path);
    });
  } catch (error) {
    throw catalogFault('CATALOG_UNREADABLE', `the catalog '${path}' cannot be opened`, error);
  }
}

function make(path: string): void {
  if (existsSync(`${path}-wal`)) throw new Error('its log lies there without it');
  const unfinished = `${path}.new`;
  for (const ending of ['', '-wal', '-shm']) rmSync(unfinished + ending, { force: true });
  // the last one to close a database writes its log back into it
  using database = new (sqlite().DatabaseSync)(unfinished);
  migrateBy(MIGRATIONS, database);
  database.close();
  renameSync(unfinished, path);
  syncDirectory(dirname(path));
}

function open(path: string): DatabaseSync {
  if (statSync(path).size === 0) throw new Error('it is empty');
  const database = new (sqlite().DatabaseSync)(path, { timeout: BUSY_MS });
  try {
    if (Number(database.prepare('pragma application_id').get()?.['application_id']) !== APPLICATION_ID) {
      throw new Error('it is no catalog');
    }
    const version = schemaVersion(database);
    if (version > MIGRATIONS.length) {
      throw new NarScanError(
        'CATALOG_VERSION',
        `the catalog '${path}' has schema ${version}; this version knows ${MIGRATIONS.length}`,
      );
    }
    if (version < MIGRATIONS.length) migrateBy(MIGRATIONS, database);
    // What must outlive a crash of the machine is synced by LogSync, away from the thread that serves.
    database.exec(`pragma synchronous = normal; pragma journal_size_limit = ${LOG_BYTES}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
