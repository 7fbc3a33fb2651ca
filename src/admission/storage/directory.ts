import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { directorySynced } from '../../ledger/durable.ts';
import type { NarScanError } from '../../model/errors.ts';
import type { ByteRange, Storage, StoredContent, StoredObject } from '../storage.ts';
import { saysMissing, storageFault, storageUnusable } from './fault.ts';
import { partsOfName } from './names.ts';

/** Where objects are made before they are put in place: no name of an object begins with a dot. */
const UNFINISHED = '.unfinished';
/** What lies there for so long was left by a server that died. */
const LEFT_BEHIND_MS = 24 * 3600 * 1000;
/** Objects never change. */
const MODE = 0o444;
/** A client that reads slowly keeps about eight of them in memory. */
const READ_BYTES = 128 * 1024;

/**
 * A directory as a storage. What is in place there is whole: it is made under another name, synced, and renamed.
 * A file is linked to where it lies in the same file system, and copied where it does not.
 */
export class DirectoryStorage implements Storage {
  readonly shown: string;
  readonly #root: string;
  readonly #unfinished: string;
  /** Directories that are known to be there. */
  readonly #made = new Set<string>();

  private constructor(root: string) {
    this.shown = root;
    this.#root = root;
    this.#unfinished = join(root, UNFINISHED);
  }

  /**
   * @param root is made where it is not there yet
   * @throws NarScanError STORAGE_UNUSABLE, STORAGE_FULL
   */
  static async open(root: string): Promise<DirectoryStorage> {
    const storage = new DirectoryStorage(root);
    try {
      await storage.#make(storage.#unfinished);
      await storage.#sweep();
    } catch (error) {
      throw storageUnusable(root, error);
    }
    return storage;
  }

  async put(name: string, content: StoredContent): Promise<void> {
    const place = this.#placeOf(name);
    const made = join(this.#unfinished, randomUUID());
    try {
      await this.#make(dirname(place));
      if ('bytes' in content) await writeNew(made, content.bytes);
      else await linkOrCopy(content.file, made);
      await finish(made, 'bytes' in content ? content.bytes.length : content.size);
      await rename(made, place);
      await directorySynced(dirname(place));
    } catch (error) {
      throw storageFault(`'${name}' cannot be put into the storage '${this.#root}'`, error);
    } finally {
      // a rename to a link to the same file does nothing, not even that
      await rm(made, { force: true }).catch(() => undefined);
    }
  }

  async get(name: string, range?: ByteRange): Promise<StoredObject | null> {
    const place = this.#placeOf(name);
    let handle: FileHandle | null = null;
    try {
      // a pipe would be waited for
      handle = await open(place, constants.O_RDONLY | constants.O_NONBLOCK);
      const status = await handle.stat();
      if (!status.isFile()) {
        await handle.close();
        return null;
      }
      const { size } = status;
      const { start, end } = range ?? { start: 0, end: size };
      if (start < Math.min(end, size)) {
        const stream = handle.createReadStream({
          start,
          end: Math.min(end, size) - 1,
          highWaterMark: READ_BYTES,
        });
        return { stream, size };
      }
      await handle.close();
      return { stream: Readable.from([]), size };
    } catch (error) {
      await handle?.close();
      if (saysMissing(error)) return null;
      throw this.#unread(name, error);
    }
  }

  async size(name: string): Promise<number | null> {
    try {
      const status = await stat(this.#placeOf(name));
      return status.isFile() ? status.size : null;
    } catch (error) {
      if (saysMissing(error)) return null;
      throw this.#unread(name, error);
    }
  }

  async check(): Promise<void> {
    const probe = join(this.#unfinished, randomUUID());
    try {
      await writeNew(probe, Buffer.from('probe'));
    } catch (error) {
      throw storageFault(`the storage '${this.#root}' cannot be written to`, error);
    } finally {
      await rm(probe, { force: true }).catch(() => undefined);
    }
  }

  #placeOf(name: string): string {
    return join(this.#root, ...partsOfName(name));
  }

  #unread(name: string, error: unknown): NarScanError {
    return storageFault(`'${name}' cannot be read from the storage '${this.#root}'`, error);
  }

  /** Makes a directory that outlives a crash, with those that it lies in. */
  async #make(directory: string): Promise<void> {
    if (this.#made.has(directory)) return;
    const first = await mkdir(directory, { recursive: true });
    if (first !== undefined) {
      for (let at = dirname(directory); at.length >= dirname(first).length; at = dirname(at)) {
        await directorySynced(at);
        if (at === dirname(at)) break;
      }
    }
    this.#made.add(directory);
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#unfinished)) {
      const file = join(this.#unfinished, name);
      try {
        if ((await stat(file)).ctimeMs < Date.now() - LEFT_BEHIND_MS) await rm(file, { force: true });
      } catch (error) {
        // its owner was faster
        if (!saysMissing(error)) throw error;
      }
    }
  }
}

/** Links are of one file system, and not every one has them, or lets this user make one. */
async function linkOrCopy(file: string, made: string): Promise<void> {
  try {
    await link(file, made);
  } catch {
    await copyFile(file, made, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }
}

async function writeNew(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}

/** Makes a file outlive a crash. @throws Error where it has another size */
async function finish(file: string, size: number): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const status = await handle.stat();
    if (status.size !== size) throw new Error(`it has ${status.size} bytes instead of ${size}`);
    await handle.chmod(MODE);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
