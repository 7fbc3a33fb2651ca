import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { directorySynced } from '../../ledger/durable.ts';

/**
 * Makes what was committed to a database outlive a crash of the machine, as `synchronous = full` does, but without
 * keeping the thread: beside large uploads one sync may take seconds. Committed is what stands in the write-ahead
 * log, and what was taken from there into the database was synced before. The log stays the same file as long as
 * somebody has the database open. (SQLite: https://www.sqlite.org/wal.html.)
 *
 * Commits that come while the log is synced are synced together.
 */
export class LogSync {
  readonly #log: string;
  #handle: FileHandle | null = null;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #fault: { readonly error: unknown } | null = null;

  /** @param database its path; it must be open, and stay so until this is closed */
  constructor(database: string) {
    this.#log = `${database}-wal`;
  }

  /**
   * Resolves when all that is committed now outlives a crash of the machine.
   * @throws the system's error, from then on always: what was not synced once may be lost without another word
   */
  committed(): Promise<void> {
    // one that runs may have begun before the commit
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next]);
    await this.#handle?.close();
    this.#handle = null;
  }

  async #after(running: Promise<void> | null): Promise<void> {
    await Promise.allSettled([running]);
    this.#running = this.#next;
    this.#next = null;
    if (this.#fault !== null) throw this.#fault.error;
    try {
      if (this.#handle === null) {
        this.#handle = await open(this.#log, 'r+');
        await directorySynced(dirname(this.#log));
      }
      await this.#handle.datasync();
    } catch (error) {
      this.#fault = { error };
      throw error;
    }
  }
}
