import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The statements of a database, each prepared once. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws the error of SQLite */
  prepared(text: string): StatementSync {
    let statement = this.#prepared.get(text);
    if (statement === undefined) this.#prepared.set(text, (statement = this.#database.prepare(text)));
    return statement;
  }

  /**
   * Does several things at once, or none of them.
   * @throws what `act` throws, and errors of SQLite
   */
  together<T>(begin: 'begin' | 'begin immediate', act: () => T): T {
    this.#database.exec(begin);
    try {
      const result = act();
      this.#database.exec('commit');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }
}
