import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeDirectories } from '../../ledger/durable.ts';
import { tryLock } from '../../ledger/lock.ts';
import { stateNotWritten } from '../../ledger/stateDir.ts';
import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import type { PathInfo } from '../../nix/database.ts';
import { narInfoText, parseNarInfo } from '../../nix/narinfo.ts';
import { parseStorePathName } from '../../nix/storePath.ts';
import { NarWriter } from './narWriter.ts';

const PRIVATE = 0o700;
const LOCK = '.lock';
const NAME_BYTES = 12;
/** The lock of a staging: of any other name, such as `...lock`, something else would be removed. */
const LOCK_OF_STAGING = /^[0-9a-f]{24}\.lock$/;
/** Nix 2.8 takes a URL as it is, later ones decode it: these characters mean the same to both. */
const PLAIN = /^[0-9A-Za-z/._+~@=-]+$/;

/** A store path that may leave, and the hash it was judged by. */
export interface Staged {
  /** On disk. */
  readonly path: ByteString;
  readonly info: PathInfo;
  /** `sha256:<nix32>` */
  readonly judged: string;
}

/**
 * A private binary cache from which Nix sends what was judged, and nothing else. It is removed when it
 * is disposed of; what a process left that was killed, by the next.
 */
export class Staging implements Disposable {
  readonly #place: string;
  readonly #lock: Disposable;
  readonly #writer = new NarWriter();

  private constructor(place: string, lock: Disposable) {
    this.#place = place;
    this.#lock = lock;
  }

  /**
   * @param folder in which stagings of this user lie; made where it is not there
   * @param storeDir the logical store dir
   * @throws NarScanError STATE_NOT_WRITTEN
   */
  static open(folder: string, storeDir: string): Staging {
    if (!PLAIN.test(folder)) {
      throw stateNotWritten(folder, new Error('Nix takes no such characters in the URL of a binary cache'));
    }
    try {
      makeDirectories(folder, PRIVATE);
      chmodSync(folder, PRIVATE);
      removeLeftovers(folder);
      const { place, lock } = ownPlace(folder);
      mkdirSync(place, { mode: PRIVATE });
      mkdirSync(join(place, 'nar'), { mode: PRIVATE });
      writeFileSync(join(place, 'nix-cache-info'), `StoreDir: ${storeDir}\n`);
      return new Staging(place, lock);
    } catch (error) {
      throw stateNotWritten(folder, error);
    }
  }

  get url(): string {
    return `file://${this.#place}`;
  }

  /** Bytes that may still be written where it lies. */
  get free(): number {
    const { bavail, bsize } = statfsSync(this.#place);
    return bavail * bsize;
  }

  /**
   * Writes a store path as it is now, with what Nix has registered of it.
   *
   * @throws NarScanError PATH_TAMPERED where that is not what was judged and registered;
   * NARINFO_INVALID where that can stand in no narinfo; TREE_NOT_SERIALISABLE, STATE_NOT_WRITTEN; what the signal was aborted with
   */
  async add({ path, info, judged }: Staged, signal: AbortSignal): Promise<void> {
    const hashPart = hashPartOf(info.storePath);
    const url = `nar/${hashPart}.nar`;
    const { narHash, narSize } = await this.#writer.write(path, join(this.#place, url), signal);
    if (narHash !== judged || narHash !== info.narHash) {
      const wanted =
        narHash === info.narHash
          ? `${judged}, by which it was judged`
          : `${info.narHash}, which Nix registered`;
      throw new NarScanError('PATH_TAMPERED', `${info.storePath} is ${narHash}, not ${wanted}`);
    }
    const sent = { fileHash: narHash, fileSize: narSize, narHash, narSize };
    const bytes = Buffer.from(narInfoText({ ...info, ...sent, url, compression: 'none' }));
    // what somebody has put into a database of his own must not become a line of its own
    parseNarInfo(bytes, dirname(info.storePath));
    this.#write(() => writeFileSync(join(this.#place, `${hashPart}.narinfo`), bytes));
  }

  /** Takes out what was sent. */
  drop(infos: readonly PathInfo[]): void {
    for (const { storePath } of infos) {
      const hashPart = hashPartOf(storePath);
      rmSync(join(this.#place, `${hashPart}.narinfo`), { force: true });
      rmSync(join(this.#place, 'nar', `${hashPart}.nar`), { force: true });
    }
  }

  /** May be called twice: a signal can come while it is going on. */
  [Symbol.dispose](): void {
    remove(this.#place, this.#lock);
  }

  #write(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw stateNotWritten(this.#place, error);
    }
  }
}

function ownPlace(folder: string): { readonly place: string; readonly lock: Disposable } {
  for (;;) {
    const place = join(folder, randomBytes(NAME_BYTES).toString('hex'));
    const lock = tryLock(place + LOCK, 'alone');
    // else somebody who removes leftovers took this for one
    if (lock !== null) return { place, lock };
  }
}

/** Removes what processes left that are gone: nobody holds its lock any more. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!LOCK_OF_STAGING.test(name)) continue;
    const lock = tryLock(join(folder, name), 'alone');
    if (lock !== null) remove(join(folder, basename(name, LOCK)), lock);
  }
}

/** The lock goes last: as long as it is there, somebody will remove the rest. */
function remove(place: string, lock: Disposable): void {
  rmSync(place, { recursive: true, force: true });
  rmSync(place + LOCK, { force: true });
  lock[Symbol.dispose]();
}

function hashPartOf(storePath: string): string {
  const parts = parseStorePathName(basename(storePath));
  if (parts === null) throw new NarScanError('NIX_DATABASE_UNREADABLE', `'${storePath}' is no store path`);
  return parts.hashPart;
}
