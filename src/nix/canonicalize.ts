import type { ByteString } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';

/** What the file system is asked. Whatever fails throws a {@link PathFault}. */
export interface Disk {
  /** The working directory, without links. */
  cwd(): ByteString;
  /** What a link says; EINVAL where something else lies. */
  readLink(path: ByteString): ByteString;
  /** Whether something is there, links followed: ENOENT, ENOTDIR, EACCES, … if not. */
  check(path: ByteString): void;
  /** What is the same for all names of a directory or file, links followed. */
  identity(path: ByteString): string;
  isDirectory(path: ByteString): boolean;
}

/** Why a path could not be resolved, in the system's own words: ENOENT, ENOTDIR, ELOOP, … */
export class PathFault extends Error {
  override readonly name = 'PathFault';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** What must exist of a path: all of it, all but its last component, nothing. */
export type Existence = 'all' | 'all-but-last' | 'none';

/** Links that are followed before a loop is looked for: few paths have as many. */
const UNWATCHED_LINKS = 20;
/** What a link costs besides the text that is still to be resolved after it. */
const LINK_COST = 64;

const ONLY_SLASHES = /^\/*$/;

/**
 * The absolute name of a path without `.`, `..` and repeated slashes, and without links where they
 * are followed. It does what GNU realpath does (documentation of coreutils, "realpath invocation"),
 * also where that is surprising: a link to nothing leads where something may be made, and where
 * nothing must exist a link that leads to itself stays as it is.
 *
 * @throws PathFault ENOENT, ENOTDIR, ELOOP (or more links than `LIMITS.realpathBytes` allows), EACCES, …
 */
export function canonicalize(
  disk: Disk,
  name: ByteString,
  existence: Existence,
  followLinks: boolean,
): ByteString {
  if (name === '') throw new PathFault('ENOENT');
  if (name.includes('\0')) throw new PathFault('EINVAL');
  // the root directory is '' here, so that every other one is its parent, a slash and a name
  let path = name.startsWith('/') ? '' : withoutSlashAtEnd(disk.cwd());
  const loops = new LoopWatch(disk);
  for (let rest = name; ;) {
    const [component, after] = firstComponent(rest);
    if (component === '') return path === '' ? '/' : path;
    rest = after;
    if (component === '.') continue;
    const parent = path;
    if (component === '..') {
      path = parentOf(path);
      continue;
    }
    path = `${parent}/${component}`;
    const link = followLinks ? tryTo(() => disk.readLink(path)) : null;
    if (link !== null && 'value' in link) {
      if (!loops.isLoop(parent, component + rest)) {
        path = link.value.startsWith('/') ? '' : parent;
        rest = link.value + rest;
      } else if (existence !== 'none') {
        throw new PathFault('ELOOP');
      }
      continue;
    }
    if (existence === 'none') continue;
    const fault = faultAt(disk, path, rest, link?.fault.code ?? null);
    if (fault === null) continue;
    if (existence === 'all-but-last' && fault === 'ENOENT' && ONLY_SLASHES.test(rest)) continue;
    throw new PathFault(fault);
  }
}

/** The directory a path lies in; of the root, '' or '/', it is the root. */
export function parentOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/**
 * What is wrong with a component that is no link, or null.
 * @param linkFault why it could not be read as a link; null where that was not tried
 */
function faultAt(disk: Disk, path: ByteString, rest: ByteString, linkFault: string | null): string | null {
  if (mustBeDirectory(rest)) return faultOf(disk, `${path}/`);
  if (linkFault !== null) return linkFault === 'EINVAL' ? null : linkFault;
  // what is missing in the middle shows at the end
  return rest === '' ? faultOf(disk, path) : null;
}

function faultOf(disk: Disk, path: ByteString): string | null {
  const tried = tryTo(() => disk.check(path));
  return 'fault' in tried ? tried.fault.code : null;
}

function tryTo<T>(act: () => T): { readonly value: T } | { readonly fault: PathFault } {
  try {
    return { value: act() };
  } catch (fault) {
    if (fault instanceof PathFault) return { fault };
    throw fault;
  }
}

/** The first component of a text, '' where it has none, and what follows it, slashes first. */
function firstComponent(text: ByteString): readonly [component: ByteString, rest: ByteString] {
  let start = 0;
  while (text.charAt(start) === '/') start++;
  const end = text.indexOf('/', start);
  return end < 0 ? [text.slice(start), ''] : [text.slice(start, end), text.slice(end)];
}

/** Whether what follows a component asks for a directory without naming anything in it: `/`, `/.`, `/..`. */
function mustBeDirectory(rest: ByteString): boolean {
  if (rest === '') return false;
  for (;;) {
    const [component, after] = firstComponent(rest);
    if (component === '' || component === '..') return true;
    if (component !== '.') return false;
    if (after === '') return true;
    rest = after;
  }
}

function withoutSlashAtEnd(path: ByteString): ByteString {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * Tells links that lead back to themselves: the same text is to be resolved in the same directory.
 * What leads on and on without ever doing so is stopped by the limit.
 */
class LoopWatch {
  readonly #disk: Disk;
  readonly #seen = new Set<string>();
  #links = 0;
  #cost = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  isLoop(directory: ByteString, text: ByteString): boolean {
    this.#cost += LINK_COST + text.length;
    if (this.#cost > LIMITS.realpathBytes) throw new PathFault('ELOOP');
    if (this.#links < UNWATCHED_LINKS) {
      this.#links++;
      return false;
    }
    const key = `${this.#disk.identity(`${directory}/`)} ${text}`;
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    return false;
  }
}
