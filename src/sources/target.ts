import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { byteStringOfText, fsPath, type ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import type { LocalStore } from '../nix/localStore.ts';
import { parsePathInStore, parseStorePathName } from '../nix/storePath.ts';
import { sniffNarFile } from './narHead.ts';

/** What an argument means. */
export interface Target {
  readonly kind: 'tree' | 'nar';
  /** Where it lies on disk; null: standard input. */
  readonly path: ByteString | null;
  /** The logical store path, or null where it lies in no store. */
  readonly storePath: string | null;
  /** The hash part of the output's own name, if it has one. */
  readonly hashPart: string | null;
}

/** Where the store is. */
export interface StoreDirs {
  /** The logical store dir. */
  readonly logical: string;
  /** Where its files lie: the logical store dir itself, or below the root of a chroot store. */
  readonly disk: string;
  /** What that really is, where it is another directory. */
  readonly physical: string | null;
}

const MAX_LINKS = 64;

const NAR_NAME = /\.nar(?:\.[a-z0-9]+)?$/i;

/**
 * Both sides of the store dir; one that does not exist has no physical side.
 * @param store what a store URL says of it, if there is one
 */
export async function storeDirs(logical: string, store: LocalStore | null = null): Promise<StoreDirs> {
  const disk = store?.realDir ?? (store?.root ?? '') + logical;
  try {
    const physical = realpathSync.native(disk);
    return { logical, disk, physical: physical === disk ? null : physical };
  } catch {
    return { logical, disk, physical: null };
  }
}

/**
 * Resolves an argument as Nix does: links are followed until the path lies in the store, from its
 * logical or its physical side, and then the whole store path is meant, even if it is a link
 * itself. Outside of any store it is what the links lead to.
 *
 * @throws NarScanError TARGET_MISSING, TARGET_UNREADABLE
 */
export async function resolveTarget(argument: string, stores: StoreDirs): Promise<Target> {
  // a relative one has no meaning where the working directory was removed
  let path = byteStringOfText(attempt(argument, () => resolve(argument)));
  for (let links = 0; links < MAX_LINKS; links++) {
    const inStore = storePathOf(path, stores);
    if (inStore !== null) {
      refuseMissing(argument, inStore.path ?? '');
      return inStore;
    }
    const next = attempt(argument, () => followFirstLink(path));
    if (next === null) return outsideStore(argument, path);
    path = next;
  }
  throw new NarScanError('TARGET_MISSING', `'${argument}' leads through too many symbolic links`);
}

function storePathOf(path: ByteString, { logical, disk, physical }: StoreDirs): Target | null {
  for (const store of new Set([logical, disk, physical ?? disk])) {
    const directory = byteStringOfText(store);
    const parts = parsePathInStore(directory, path);
    if (parts === null) continue;
    const name = parts.storePath.slice(directory.length + 1);
    // the logical path of a chroot store leads to another store, or nowhere
    const lies = store === logical ? `${byteStringOfText(disk)}/${name}` : parts.storePath;
    return { kind: 'tree', path: lies, storePath: `${logical}/${name}`, hashPart: parts.hashPart };
  }
  return null;
}

/** The path with its first symbolic link replaced by what that names, or null if it has none. */
function followFirstLink(path: ByteString): ByteString | null {
  const parts = path.split('/').slice(1);
  for (let count = 1; count <= parts.length; count++) {
    const prefix = `/${parts.slice(0, count).join('/')}`;
    if (!lstatSync(fsPath(prefix)).isSymbolicLink()) continue;
    const target = readlinkSync(fsPath(prefix), { encoding: 'latin1' });
    const base = target.startsWith('/') ? '' : `/${parts.slice(0, count - 1).join('/')}`;
    return resolve('/', [`${base}/${target}`, ...parts.slice(count)].join('/'));
  }
  return null;
}

function outsideStore(argument: string, path: ByteString): Target {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const hashPart = parseStorePathName(name)?.hashPart ?? null;
  const stats = attempt(argument, () => lstatSync(fsPath(path)));
  const isNar =
    stats.isFile() && (NAR_NAME.test(name) || attempt(argument, () => sniffNarFile(fsPath(path)) !== null));
  return { kind: isNar ? 'nar' : 'tree', path, storePath: null, hashPart: isNar ? null : hashPart };
}

/**
 * Looks whether a store path is there.
 * @throws NarScanError TARGET_MISSING, TARGET_UNREADABLE
 */
export function refuseMissing(argument: string, path: ByteString): void {
  try {
    lstatSync(fsPath(path));
  } catch (error) {
    throw refusal(argument, error);
  }
}

/** The pool of threads would take ten times as long for one call, and its modules as long as a small scan. */
function attempt<T>(argument: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw refusal(argument, error);
  }
}

function refusal(argument: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') {
    return new NarScanError('TARGET_MISSING', `'${argument}' does not exist (${code})`, { cause: error });
  }
  if (code === undefined) return error;
  return new NarScanError('TARGET_UNREADABLE', `'${argument}' cannot be read (${code})`, { cause: error });
}
