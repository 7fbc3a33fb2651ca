import type { DatabaseSync } from 'node:sqlite';

/** The version of the schema that a database has; 0 for one that is empty. @throws the error of SQLite */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.['user_version']);
}

/**
 * Brings a database to the newest version of its schema, as a whole or not at all. Nobody else may have it open.
 *
 * @param migrations statements that lead from version i to i + 1
 * @throws the error of SQLite
 */
export function migrateBy(migrations: readonly string[], database: DatabaseSync): void {
  // outside of the transaction: SQLite changes the journal only there
  database.exec('pragma journal_mode = wal');
  database.exec('begin immediate');
  try {
    for (const statements of migrations.slice(schemaVersion(database))) database.exec(statements);
    database.exec(`pragma user_version = ${migrations.length}`);
    database.exec('commit');
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}
