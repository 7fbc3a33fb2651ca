import { byteStringOfText, type ByteString } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';

/**
 * Directories under which systems keep the homes of people. `/home` first: a plain `/home/x` is
 * reported under the shortest root. Drive letters of the Windows forms are checked by the rules.
 */
export const HOME_ROOTS = [
  '/home',
  '/Users',
  '/var/home',
  '/export/home',
  '/usr/home',
  '/System/Volumes/Data/Users',
  '/mnt/c/Users',
] as const;

const SYSTEM_EXACT = new Set([
  '/',
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib64',
  '/media',
  '/mnt',
  '/nix',
  '/nix/store',
  '/nonexistent',
  '/homeless-shelter',
  '/opt',
  '/proc',
  '/run',
  '/sbin',
  '/srv',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
  ...HOME_ROOTS,
]);

/** The user id of nobody. */
const NOBODY = 65_534;

/** Whole subtrees that never hold a person's home; `/var/home` and `/usr/home` are the exceptions. */
const SYSTEM_TREES = ['/usr/', '/var/', '/etc/', '/proc/', '/dev/', '/sys/', '/run/', '/bin/', '/sbin/'];
const EXCEPTIONS = ['/var/home/', '/usr/home/'];

/** A home as it is compared: without repeated, trailing or `.` components. Not resolved on disk. */
export function normalHome(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

/**
 * Why a path cannot serve as a home, or null if it can. A home that is everywhere (`/`, `/usr`)
 * would make every output contaminated, and people would then switch the check off.
 */
export function refuseHome(path: string): string | null {
  if (path === '') return 'is empty';
  if (!path.startsWith('/')) return 'is not an absolute path';
  if (path.includes('\0')) return 'holds a NUL byte';
  if (path.split('/').includes('..')) return "holds '..'";
  const home = normalHome(path);
  if (SYSTEM_EXACT.has(home)) return 'is a system directory, not a home';
  const inTree = SYSTEM_TREES.some((tree) => home.startsWith(tree));
  if (inTree && !EXCEPTIONS.some((root) => home.startsWith(root))) return 'lies in a system directory';
  if (Buffer.byteLength(home) < 3) return 'is too short to search for';
  if (Buffer.byteLength(home) > LIMITS.homeBytes) return 'is too long to search for';
  return null;
}

/** Whether a directory, normal as {@link normalHome} makes it, is the system's and nobody's own. */
export function isSystemDirectory(directory: string): boolean {
  return (
    SYSTEM_EXACT.has(directory) || /^\/(?:usr|etc|proc|dev|sys|run|s?bin|lib|lib64)\/[^/]+$/.test(directory)
  );
}

/** One user of the passwd database (passwd(5)). */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

/** The users in passwd text. Lines that are not seven fields are left out. */
export function passwdEntries(passwd: string): readonly PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    const [name = '', , id = '', , , home = ''] = fields;
    if (fields.length >= 7 && /^[0-9]+$/.test(id)) entries.push({ name, uid: Number(id), home });
  }
  return entries;
}

/** Whether a user is no person: nobody lives in that home. @param firstUid of people */
export function isService({ uid }: PasswdEntry, firstUid: number): boolean {
  return uid < firstUid || uid === NOBODY;
}

/**
 * Why the home of a passwd entry is not known to be a person's, or null if it is: user ids from
 * `firstUid` on but nobody's, whose directory lies under a home root.
 */
export function refusePasswdHome(user: PasswdEntry, firstUid: number): string | null {
  const { uid, home } = user;
  if (isService(user, firstUid)) return `is that of a service (user id ${uid})`;
  const refusal = refuseHome(home);
  if (refusal !== null) return refusal;
  return underHomeRoot(home) === null ? 'lies under no home root' : null;
}

/** The first component under a home root (`/var/home/zoe`, `/home/zoe/chroot` → `zoe`), else null. */
export function underHomeRoot(home: string): ByteString | null {
  const normal = normalHome(home);
  for (const root of HOME_ROOTS) {
    if (!normal.startsWith(`${root}/`)) continue;
    const user = normal.slice(root.length + 1).split('/')[0];
    if (user !== undefined && user !== '') return byteStringOfText(user);
  }
  return null;
}
