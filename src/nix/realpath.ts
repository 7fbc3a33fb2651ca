import { byteStringOfText, bytesOfByteString, exactText, type ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import { canonicalize, type Disk, type Existence, parentOf, PathFault } from './canonicalize.ts';
import { hostDisk } from './hostDisk.ts';
import { stateDirsOf } from './localStore.ts';
import { liesIn } from './relativePath.ts';
import { canonicalStoreDir, DEFAULT_STORE_DIR } from './storePath.ts';

/** Which links are followed: each where it stands, each after `..` was resolved by text alone, or none. */
export type LinkMode = 'physical' | 'logical' | 'none';

/** A directory whose logical name paths keep: a store dir or state dir. */
interface KeptDir {
  readonly logical: ByteString;
  /** What it really is, as far as it exists. */
  readonly physical: ByteString;
  /** Null where it does not exist, or cannot be looked at. */
  readonly identity: string | null;
}

/** A path without links, by its logical name if it has one. */
export interface Resolved {
  readonly path: ByteString;
  /** The logical name of the kept directory in which it lies; null where it lies in none. */
  readonly keptIn: ByteString | null;
  /** Whether that directory really lies elsewhere, so that `..` out of it leads elsewhere, too. */
  readonly moved: boolean;
  /** The path as GNU realpath gives it. */
  readonly physical: ByteString;
}

/**
 * Resolves paths as GNU realpath does, but a path in one of the kept directories keeps the logical
 * name of that, from whichever side it was reached: it is the same directory, whatever its name.
 * The disk tells that, so links, bind mounts and names in other letter case need no care of their own.
 */
export class LogicalPaths {
  readonly #disk: Disk;
  readonly #kept: readonly KeptDir[];

  /** @param kept absolute and canonical; the first counts where two are one and the same */
  constructor(disk: Disk, kept: readonly ByteString[]) {
    this.#disk = disk;
    this.#kept = kept.map((logical) => {
      const physical = orNull(() => canonicalize(disk, logical, 'none', true)) ?? logical;
      return { logical, physical, identity: orNull(() => disk.identity(logical)) };
    });
  }

  /** @throws PathFault */
  resolve(name: ByteString, existence: Existence, links: LinkMode): Resolved {
    let physical = canonicalize(this.#disk, name, existence, links === 'physical');
    if (links === 'logical') physical = canonicalize(this.#disk, physical, existence, true);
    return { ...this.#named(physical), physical };
  }

  #named(path: ByteString): Omit<Resolved, 'physical'> {
    for (const { logical, physical } of this.#kept) {
      if (liesIn(path, logical)) return { path, keptIn: logical, moved: physical !== logical };
    }
    // the root directory is nobody's store, even where a link says so
    for (let directory = path; directory !== '' && directory !== '/'; directory = parentOf(directory)) {
      const dir = this.#dirAt(directory);
      if (dir === null) continue;
      const { logical, physical } = dir;
      return { path: logical + path.slice(directory.length), keptIn: logical, moved: physical !== logical };
    }
    return { path, keptIn: null, moved: false };
  }

  #dirAt(directory: ByteString): KeptDir | null {
    const identity = orNull(() => this.#disk.identity(directory));
    for (const dir of this.#kept) {
      if (dir.physical === directory || (identity !== null && dir.identity === identity)) return dir;
    }
    return null;
  }
}

function orNull<T>(act: () => T): T | null {
  try {
    return act();
  } catch (fault) {
    if (fault instanceof PathFault) return null;
    throw fault;
  }
}

/** How {@link nixRealpath} resolves. */
export interface RealpathOptions {
  /** What must exist; `all-but-last` if nothing is said. */
  readonly existence?: Existence;
  /** Which links are followed; `physical` if nothing is said. */
  readonly links?: LinkMode;
  /** The logical store dir; `/nix/store` if nothing is said. */
  readonly storeDir?: string;
  /** The state dir; `/nix/var/nix` and `var/nix` beside the store if nothing is said. */
  readonly stateDir?: string;
}

/**
 * The directories whose names paths keep.
 * @param stateDir null: beside the store, or where Nix was built to keep it
 * @returns null where one of them is no absolute path of a directory
 */
export function keptDirs(storeDir: ByteString, stateDir: ByteString | null): readonly ByteString[] | null {
  const store = canonicalStoreDir(storeDir);
  if (store === null) return null;
  const states = stateDir === null ? stateDirsOf(store, null, {}) : [stateDir];
  const kept = [store];
  for (const state of states) {
    const dir = canonicalStoreDir(state);
    if (dir === null) return null;
    kept.push(dir);
  }
  return kept;
}

/**
 * The absolute path of a file without links, as GNU realpath gives it, but a path in the store dir or
 * the state dir keeps that name, however it was reached. Bytes for bytes, text for text.
 *
 * @throws NarScanError REALPATH_FAILED; also for text whose result is not UTF-8
 */
export function nixRealpath(path: string, options?: RealpathOptions): string;
export function nixRealpath(path: Uint8Array, options?: RealpathOptions): Buffer;
export function nixRealpath(path: string | Uint8Array, options: RealpathOptions = {}): string | Buffer {
  const { existence = 'all-but-last', links = 'physical' } = options;
  const { storeDir = DEFAULT_STORE_DIR, stateDir } = options;
  const kept = keptDirs(
    byteStringOfText(storeDir),
    stateDir === undefined ? null : byteStringOfText(stateDir),
  );
  if (kept === null) {
    const said = `'${storeDir}'${stateDir === undefined ? '' : ` or '${stateDir}'`}`;
    throw new NarScanError('REALPATH_FAILED', `${said} is no absolute path of a directory`);
  }
  const name = typeof path === 'string' ? byteStringOfText(path) : Buffer.from(path).toString('latin1');
  try {
    const { path: found } = new LogicalPaths(hostDisk, kept).resolve(name, existence, links);
    if (typeof path !== 'string') return bytesOfByteString(found);
    const text = exactText(found);
    if (text === null) throw new PathFault('EILSEQ');
    return text;
  } catch (error) {
    if (!(error instanceof PathFault)) throw error;
    const said = Buffer.from(path).toString('utf8');
    throw new NarScanError('REALPATH_FAILED', `'${said}' cannot be resolved (${error.code})`, {
      cause: error,
    });
  }
}
