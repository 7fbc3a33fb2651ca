import { holdLock } from '../lock.ts';

/** How long a lock is waited for. */
const BUSY_MS = 5000;

/**
 * Who has the ledger open. SQLite goes by the names of a database and of its log, so a file must
 * not be taken out of its place while others have it open: each of them holds this lock shared, and
 * whoever makes, migrates or sets aside the file holds it alone.
 */
export class UseLock {
  readonly #file: string;
  #held: Disposable | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  /** @throws the error of SQLite where another holds it alone for long */
  share(): void {
    this.#held = holdLock(this.#file, 'shared', BUSY_MS);
  }

  /**
   * Holds it alone while `act` runs, and shared again afterwards.
   * @param milliseconds how long it is waited for
   * @throws the error of SQLite where others hold it for longer, before `act`
   */
  alone<T>(act: () => T, milliseconds: number = BUSY_MS): T {
    this.close();
    try {
      this.#held = holdLock(this.#file, 'alone', milliseconds);
      return act();
    } finally {
      this.close();
      this.share();
    }
  }

  /** May be called again. */
  close(): void {
    this.#held?.[Symbol.dispose]();
    this.#held = null;
  }
}
