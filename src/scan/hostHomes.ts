import { readFileSync, realpathSync } from 'node:fs';
import { NarScanError } from '../model/errors.ts';
import { homesOfPasswd, normalHome, refuseHome } from '../needles/homes.ts';

const PASSWD = '/etc/passwd';
const FIRST_UID = 1000;
const FIRST_UID_MACOS = 500;

/**
 * The homes of this machine: those of people in the passwd database and the HOME of whoever runs
 * the program, and what each really is where it is a link. Root's is not among them: `/root/…` has
 * a rule of its own.
 *
 * @throws NarScanError HOMES_UNREADABLE when the passwd database exists but cannot be read
 */
export function hostHomes(environment: NodeJS.ProcessEnv): readonly string[] {
  const home = environment['HOME'] ?? '';
  const named = homesOfPasswd(readPasswd(), process.platform === 'darwin' ? FIRST_UID_MACOS : FIRST_UID);
  const known = [...named, home].flatMap((candidate) => [candidate, reality(candidate)]);
  return [...new Set(known.filter(isHome).map(normalHome))];
}

/** A home that was named, and what it really is on this machine where that is another home. */
export function homeAndReality(home: string): readonly string[] {
  return [home, ...[reality(home)].filter((real) => isHome(real) && real !== normalHome(home))];
}

function isHome(path: string): boolean {
  return refuseHome(path) === null && normalHome(path) !== '/root';
}

function readPasswd(): string {
  try {
    return readFileSync(PASSWD, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw new NarScanError('HOMES_UNREADABLE', `${PASSWD} cannot be read (${code ?? 'no reason given'})`, {
      cause: error,
    });
  }
}

/** A home that does not exist, or that nobody may look at, is only what it is called. */
function reality(home: string): string {
  if (!home.startsWith('/')) return home;
  try {
    return realpathSync(home);
  } catch {
    return home;
  }
}
