import type { DatabaseSync } from 'node:sqlite';
import { sqlite } from '../../nix/sqlite.ts';

/** How long a lock is waited for. */
const BUSY_MS = 5000;

/**
 * Who has the ledger open. SQLite goes by the names of a database and of its log, so a file must
 * not be taken out of its place while others have it open: each of them holds this lock shared, and
 * whoever makes, migrates or sets aside the file holds it alone. The system gives it free when a
 * process dies.
 */
export class UseLock {
  readonly #database: DatabaseSync;

  /** @throws the error of SQLite */
  constructor(file: string) {
    this.#database = new (sqlite().DatabaseSync)(file);
    this.#database.exec(`pragma busy_timeout = ${BUSY_MS}`);
  }

  /** @throws the error of SQLite where another holds it alone for long */
  share(): void {
    this.#database.exec('begin; select 1 from sqlite_master');
  }

  /**
   * Holds it alone while `act` runs, and shared again afterwards.
   * @throws the error of SQLite where others hold it for long, before `act`
   */
  alone<T>(act: () => T): T {
    this.#database.exec('rollback');
    let held = false;
    try {
      this.#database.exec('begin exclusive');
      held = true;
      return act();
    } finally {
      if (held) this.#database.exec('rollback');
      this.share();
    }
  }

  close(): void {
    this.#database.close();
  }
}
