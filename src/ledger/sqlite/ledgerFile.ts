import { existsSync, renameSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { NarScanError } from '../../model/errors.ts';
import { sqlite } from '../../nix/sqlite.ts';
import { BUSY } from '../lock.ts';
import { ledgerFault, saysDamaged } from './fault.ts';
import { UseLock } from './useLock.ts';
import { schemaVersion } from './migration.ts';
import { migrate, SCHEMA_VERSION } from './schema.ts';

const BUSY_MS = 5000;
/** How long others are waited for before it is looked whether they have done the work. */
const TRY_MS = 50;
/** Bytes that the write-ahead log keeps when it was longer. */
const LOG_BYTES = 16 * 1024 * 1024;
/** Bytes of the log that are left to the next process, which reads all of them once more. */
const LEFT_BYTES = 512 * 1024;
/** Ledgers that stay open: else their memory might be collected, which closes them, and their locks in any order. */
const LEFT: LedgerFile[] = [];
/** What belongs to a database file besides it: its write-ahead log, and the log's index. */
const BESIDE = ['-wal', '-shm'];

/** The database file of a ledger, open; a damaged one is set aside, and a new one takes its place. */
export class LedgerFile {
  readonly path: string;
  readonly #lock: UseLock;
  readonly #endsProcess: boolean;
  #database: DatabaseSync | null = null;
  /** Of the file that is open. */
  #inode: bigint | null = null;

  /**
   * @param path it is made where it is not there
   * @param setAside told where a damaged file is now
   * @param endsProcess the process ends soon after it is closed
   * @throws NarScanError LEDGER_VERSION, LEDGER_UNREADABLE
   */
  constructor(path: string, setAside: (error: NarScanError) => void, endsProcess = false) {
    this.path = path;
    this.#endsProcess = endsProcess;
    try {
      this.#lock = new UseLock(`${path}.lock`);
      this.#lock.share();
    } catch (error) {
      throw ledgerFault('LEDGER_UNREADABLE', `the ledger '${path}' cannot be opened`, error);
    }
    try {
      this.#open();
    } catch (error) {
      if (!saysDamaged(error)) this.#give(error);
      setAside(this.replace());
    }
  }

  get database(): DatabaseSync {
    if (this.#database === null) throw new Error('the ledger is closed');
    return this.#database;
  }

  /**
   * Sets the damaged file aside and opens a new one. Where another process has done so already, its
   * new one is opened.
   *
   * @returns what to tell the user
   * @throws NarScanError LEDGER_DAMAGED where others have the file open, LEDGER_UNREADABLE; the
   *   ledger is closed then
   */
  replace(): NarScanError {
    try {
      const place = this.#lock.alone(() => this.#setAside());
      this.#open();
      const where = place === null ? 'was replaced by another process' : `is now '${place}'`;
      return new NarScanError('LEDGER_DAMAGED', `the ledger '${this.path}' is damaged and ${where}`);
    } catch (error) {
      this.close();
      throw ledgerFault('LEDGER_DAMAGED', `the ledger '${this.path}' is damaged and stays there`, error);
    }
  }

  /**
   * Ends its use. The last process that closes a database writes its log back and syncs both, some 20 ms where disks
   * are slow. Where the process ends anyway, the system closes it as if it was killed: the log stays for whoever is next.
   */
  end(): void {
    if (this.#endsProcess && this.#logBytes() <= LEFT_BYTES) LEFT.push(this);
    else this.close();
  }

  /** May be called again. */
  close(): void {
    this.#closeDatabase();
    this.#lock.close();
  }

  #open(): void {
    this.#database = new (sqlite().DatabaseSync)(this.path);
    this.#inode = inodeOf(this.path);
    const { database } = this;
    database.exec(`pragma busy_timeout = ${BUSY_MS}`);
    refuseNewer(this.path, database);
    this.#migrate(database);
    // the log keeps the file whole; facts that a power failure takes are only found anew
    database.exec(`pragma synchronous = normal; pragma journal_size_limit = ${LOG_BYTES}`);
  }

  /** Whoever else migrates it keeps it open, mostly for long: then there is nothing left to wait for. */
  #migrate(database: DatabaseSync): void {
    for (let tries = Math.ceil(BUSY_MS / TRY_MS); schemaVersion(database) < SCHEMA_VERSION; tries--) {
      try {
        this.#lock.alone(() => migrate(database), TRY_MS);
      } catch (error) {
        if (tries <= 1 || (error as { errcode?: unknown }).errcode !== BUSY) throw error;
      }
    }
  }

  #setAside(): string | null {
    const isOpen = this.#inode !== null && inodeOf(this.path) === this.#inode;
    this.#closeDatabase();
    if (!isOpen) return null;
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const wanted = `${this.path}.damaged-${time}`;
    const place = existsSync(wanted) ? `${wanted}-${process.pid}` : wanted;
    for (const ending of [...BESIDE, '']) {
      if (existsSync(this.path + ending)) renameSync(this.path + ending, place + ending);
    }
    return place;
  }

  #logBytes(): number {
    return statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  #closeDatabase(): void {
    this.#database?.close();
    this.#database = null;
    this.#inode = null;
  }

  #give(error: unknown): never {
    this.close();
    throw ledgerFault('LEDGER_UNREADABLE', `the ledger '${this.path}' cannot be opened`, error);
  }
}

/**
 * Opens a ledger that is not to be written to, in a directory that need not be writable.
 * @throws NarScanError LEDGER_VERSION, or the error of SQLite
 */
export function openReadOnly(path: string): DatabaseSync {
  const open = (immutable: boolean): DatabaseSync => {
    const url = pathToFileURL(path);
    url.searchParams.set('mode', 'ro');
    if (immutable) url.searchParams.set('immutable', '1');
    const database = new (sqlite().DatabaseSync)(url, { readOnly: true });
    try {
      database.exec(`pragma busy_timeout = ${BUSY_MS}`);
      refuseNewer(path, database);
      if (schemaVersion(database) < SCHEMA_VERSION) throw new Error('its schema is that of an older version');
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  };
  try {
    return open(false);
  } catch (error) {
    // without the right to make the log's index. Whoever closes it last takes the log away, and all is in the file itself;
    // where it is open, or its last user was killed, there is a log, and without it the file is not whole
    if (error instanceof NarScanError || existsSync(`${path}-wal`)) throw error;
    return open(true);
  }
}

function refuseNewer(path: string, database: DatabaseSync): void {
  const version = schemaVersion(database);
  if (version <= SCHEMA_VERSION) return;
  throw new NarScanError(
    'LEDGER_VERSION',
    `the ledger '${path}' has schema ${version}; this version knows ${SCHEMA_VERSION}`,
  );
}

function inodeOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}
