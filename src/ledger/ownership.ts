import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** What others may not have: the right to write. */
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** Something that others than this user and root can change, and how. */
export interface Unsafe {
  readonly path: string;
  readonly why: string;
}

/**
 * Who else can change what lies at a path: it belongs to somebody else or others may write to it, or
 * so is the directory it is named in or the one it really lies in. Null where nobody else can.
 *
 * @param status of what lies at `path`
 * @throws the system's error where a directory cannot be looked at
 */
export function unsafeAt(path: string, status: Stats): Unsafe | null {
  const own = ownerOf(path, status);
  if (own !== null) return own;
  if ((status.mode & OTHERS_WRITE) !== 0) return { path, why: 'others may write to it' };
  for (const directory of new Set([dirname(path), dirname(realpathSync(path))])) {
    const around = statSync(directory);
    const foreign = ownerOf(directory, around);
    if (foreign !== null) return foreign;
    // in a directory such as the Nix store or /tmp others may add, but not replace
    if ((around.mode & OTHERS_WRITE) !== 0 && (around.mode & STICKY) === 0) {
      return { path: directory, why: 'others may write to it' };
    }
  }
  return null;
}

function ownerOf(path: string, { uid }: Stats): Unsafe | null {
  const own = process.geteuid?.() ?? uid;
  return uid === own || uid === 0 ? null : { path, why: `it belongs to another user (${uid})` };
}
