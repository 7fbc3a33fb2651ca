import type { ByteString } from '../model/bytes.ts';
import { BASE32_MEMBERS } from './base32.ts';

/** The logical store dir where nothing else is said. */
export const DEFAULT_STORE_DIR = '/nix/store';

/** Characters of a hash part: 160 bits in base 32. */
const HASH_PART_LENGTH = 32;
const NAME_MAX = 211;
const NAME = /^[0-9a-zA-Z+\-._?=]+$/;
/** The first dash-separated part of a name must not be a dot or two. */
const DOTTED = /^\.\.?(?:-|$)/;

/** The two parts of a store path's base name. */
export interface StorePathName {
  readonly hashPart: string;
  readonly name: string;
}

/**
 * The parts of `<hash part>-<name>`, or null if Nix does not take this for a store path's base name:
 * 32 characters of base 32, a dash, 1 to 211 of `0-9a-zA-Z+-._?=`. (Nix: src/libstore/path.cc.)
 */
export function parseStorePathName(baseName: ByteString): StorePathName | null {
  if (baseName.charAt(HASH_PART_LENGTH) !== '-') return null;
  for (let index = 0; index < HASH_PART_LENGTH; index++) {
    if (BASE32_MEMBERS[baseName.charCodeAt(index)] !== 1) return null;
  }
  const name = baseName.slice(HASH_PART_LENGTH + 1);
  if (name.length > NAME_MAX || !NAME.test(name) || DOTTED.test(name)) return null;
  return { hashPart: baseName.slice(0, HASH_PART_LENGTH), name };
}

/** The hash part of a store path, in whatever store it lies; null where its last component is no name of one. */
export function hashPartOf(storePath: ByteString): string | null {
  return parseStorePathName(storePath.slice(storePath.lastIndexOf('/') + 1))?.hashPart ?? null;
}

/** A path in a store, taken apart. */
export interface PathInStore extends StorePathName {
  /** `<store dir>/<hash part>-<name>` */
  readonly storePath: ByteString;
  /** What follows the store path, without the slash; '' for the store path itself. */
  readonly inside: ByteString;
}

/**
 * Takes an absolute path apart that lies in the store, by its text alone: no link is followed, and
 * a path with empty, `.` or `..` parts is in no store. Null if it is not in a store path of `storeDir`.
 * @param storeDir as {@link canonicalStoreDir} gives it
 */
export function parsePathInStore(storeDir: ByteString, path: ByteString): PathInStore | null {
  if (!path.startsWith(`${storeDir}/`)) return null;
  const [baseName = '', ...rest] = path.slice(storeDir.length + 1).split('/');
  if (rest.some((part) => part === '' || part === '.' || part === '..')) return null;
  const parts = parseStorePathName(baseName);
  return parts && { ...parts, storePath: `${storeDir}/${baseName}`, inside: rest.join('/') };
}

/**
 * A logical store dir in the form in which it stands before every store path: absolute, no trailing
 * or double slashes, no `.` or `..` parts (both resolved by text alone, as Nix resolves them).
 * Null if it cannot be one: relative, the root itself, or with a NUL byte.
 */
export function canonicalStoreDir(directory: ByteString): ByteString | null {
  if (!directory.startsWith('/') || directory.includes('\0')) return null;
  const parts: ByteString[] = [];
  for (const part of directory.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? null : `/${parts.join('/')}`;
}
