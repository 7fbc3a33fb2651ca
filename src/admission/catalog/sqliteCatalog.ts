import type { DatabaseSync } from 'node:sqlite';
import { saysDamaged } from '../../ledger/sqlite/fault.ts';
import type { AdmissionHour, Approval, Catalog, NewPath, RefusedNar } from '../catalog.ts';
import type { Admission, PublishedPath, ReceivedNar } from '../contracts.ts';
import { catalogFault } from './fault.ts';
import { openCatalogFile } from './file.ts';
import { LogSync } from './logSync.ts';
import { CatalogTables } from './tables.ts';

/**
 * Opens the catalog in one SQLite database, which any number of processes may have open at once. A damaged one
 * stays as it is and is an error: in place of an empty one everything published would be gone.
 *
 * @param path of the database, in a directory that this user may write to
 * @throws NarScanError CATALOG_UNREADABLE, CATALOG_VERSION, UPLOAD_NO_ROOM, STATE_LOCKED
 */
export async function openCatalog(path: string): Promise<Catalog> {
  return new SqliteCatalog(path, await openCatalogFile(path));
}

/** Every method rejects with CATALOG_UNREADABLE, those that change something also with CATALOG_NOT_WRITTEN, UPLOAD_NO_ROOM. */
class SqliteCatalog implements Catalog {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #tables: CatalogTables;
  readonly #sync: LogSync;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#tables = new CatalogTables(database);
    this.#sync = new LogSync(path);
  }

  received(name: string): Promise<ReceivedNar | null> {
    return this.#read((tables) => tables.received(name));
  }

  receive(nar: ReceivedNar): Promise<void> {
    return this.#write((tables) => tables.receive(nar));
  }

  forgetReceived(before: number): Promise<readonly string[]> {
    return this.#write((tables) => tables.forgetReceived(before));
  }

  receivedFiles(): Promise<ReadonlySet<string>> {
    return this.#read((tables) => tables.receivedFiles());
  }

  refused(fileHash: string): Promise<RefusedNar | null> {
    return this.#read((tables) => tables.refused(fileHash));
  }

  refuse(nar: RefusedNar): Promise<void> {
    return this.#write((tables) => tables.refuse(nar));
  }

  published(hashPart: string): Promise<PublishedPath | null> {
    return this.#read((tables) => tables.published(hashPart));
  }

  publishedNar(name: string, counts?: (path: PublishedPath) => boolean): Promise<PublishedPath | null> {
    return this.#read((tables) => tables.publishedNar(name, counts));
  }

  publishedAmong(
    storePaths: readonly string[],
    counts?: (path: PublishedPath) => boolean,
  ): Promise<ReadonlySet<string>> {
    return this.#read((tables) => tables.publishedAmong(storePaths, counts));
  }

  inTheWay(path: NewPath): Promise<PublishedPath | null> {
    return this.#read((tables) => tables.inTheWay(path));
  }

  async publish(path: PublishedPath): Promise<PublishedPath> {
    const published = await this.#write((tables) => tables.publish(path));
    // also where nothing was changed: who published it may still be waiting for this
    await this.#synced();
    return published;
  }

  publishedPaths(
    most: number,
    after?: { readonly at: number; readonly hashPart: string },
  ): Promise<readonly PublishedPath[]> {
    return this.#read((tables) => tables.publishedPaths(most, after));
  }

  homes(token: string): Promise<readonly string[]> {
    return this.#read((tables) => tables.homes(token));
  }

  addHomes(token: string, homes: readonly string[]): Promise<void> {
    return this.#write((tables) => tables.addHomes(token, homes));
  }

  approvals(): Promise<readonly Approval[]> {
    return this.#read((tables) => tables.approvals());
  }

  approve(approval: Approval): Promise<void> {
    return this.#write((tables) => tables.approve(approval));
  }

  object(name: string): Promise<{ readonly bytes: Buffer; readonly type: string } | null> {
    return this.#read((tables) => tables.object(name));
  }

  putObject(name: string, bytes: Uint8Array, type: string, stale?: Uint8Array | null): Promise<boolean> {
    return this.#write((tables) => tables.putObject(name, bytes, type, stale ?? null));
  }

  awaitNar(narName: string, object: string, member: string): Promise<void> {
    return this.#write((tables) => tables.awaitNar(narName, object, member));
  }

  awaiting(narName: string): Promise<readonly { readonly object: string; readonly member: string }[]> {
    return this.#read((tables) => tables.awaiting(narName));
  }

  tell(admission: Admission): Promise<void> {
    return this.#write((tables) => tables.tell(admission));
  }

  hours(count: number, now: number): Promise<readonly AdmissionHour[]> {
    return this.#read((tables) => tables.hours(count, now));
  }

  async close(): Promise<void> {
    await this.#sync.close();
    if (this.#database.isOpen) this.#database.close();
  }

  // rejects instead of throwing
  async #read<T>(act: (tables: CatalogTables) => T): Promise<T> {
    try {
      return act(this.#tables);
    } catch (error) {
      throw catalogFault('CATALOG_UNREADABLE', `the catalog '${this.#path}' cannot be read`, error);
    }
  }

  async #write<T>(act: (tables: CatalogTables) => T): Promise<T> {
    try {
      return act(this.#tables);
    } catch (error) {
      throw this.#notWritten(error);
    }
  }

  async #synced(): Promise<void> {
    try {
      await this.#sync.committed();
    } catch (error) {
      throw this.#notWritten(error);
    }
  }

  #notWritten(error: unknown): Error {
    const code = saysDamaged(error) ? 'CATALOG_UNREADABLE' : 'CATALOG_NOT_WRITTEN';
    return catalogFault(code, `the catalog '${this.#path}' cannot be written`, error);
  }
}
