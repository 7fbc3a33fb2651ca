import { existsSync, readFileSync } from 'node:fs';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { passwdEntries, type PasswdEntry } from '../../needles/homes.ts';

const PASSWD = '/etc/passwd';
const SWITCH = '/etc/nsswitch.conf';
/** Where getent lies if PATH does not say so: Nix runs hooks with hardly any. */
const PLACES = '/run/current-system/sw/bin:/usr/bin:/bin';
/** Where systemd keeps users that are in no file: sockets of who tells of them, and records of its own. */
const USERDB = [
  '/run/systemd/userdb',
  '/etc/userdb',
  '/run/userdb',
  '/run/host/userdb',
  '/usr/local/lib/userdb',
  '/usr/lib/userdb',
];
/** getent: not every key that was asked for exists, or the service lists nobody. */
const NOT_FOUND = 2;

/** Users of this machine, and where each was found. */
export interface FoundUser extends PasswdEntry {
  readonly from: string;
}

/**
 * The users of this machine: those of /etc/passwd, and where the system asks others as well (LDAP,
 * systemd-homed), those that getent lists, and by name the users of this process and of sudo,
 * because directories seldom list everybody.
 *
 * @throws NarScanError HOMES_UNREADABLE when there is a passwd database that cannot be read or
 *   that does not answer in time
 */
export async function usersOf(environment: NodeJS.ProcessEnv): Promise<readonly FoundUser[]> {
  const files = usersIn(textOf(PASSWD) ?? '', PASSWD);
  if (!asksOthers(textOf(SWITCH))) return files;
  const keys = [String(process.getuid?.() ?? 0), environment['SUDO_USER'] ?? ''].filter((key) => key !== '');
  const [all, named] = await Promise.all([getent(environment, []), getent(environment, keys)]);
  const known = new Set(files.map(({ name, home }) => `${name}:${home}`));
  const others = usersIn(`${all}\n${named}`, 'getent passwd').filter(({ name, home }) => {
    const key = `${name}:${home}`;
    return !known.has(key) && known.add(key);
  });
  return [...files, ...others];
}

/**
 * Whether nsswitch.conf(5) names more than the file for users.
 * @param isUserdb whether there is such a directory: nss-systemd(8) tells what lies there, else only root
 *   and nobody, which are no homes
 */
export function asksOthers(
  text: string | null,
  isUserdb: (directory: string) => boolean = existsSync,
): boolean {
  const line = /^[ \t]*passwd:([^#\n]*)/m.exec(text ?? '')?.[1] ?? '';
  const services = line.replace(/\[[^\]]*\]/g, ' ').split(/\s+/);
  return services.some((service) => {
    if (service === 'systemd') return USERDB.some(isUserdb);
    return service !== '' && service !== 'files';
  });
}

function usersIn(text: string, from: string): readonly FoundUser[] {
  return passwdEntries(text).map((entry) => ({ ...entry, from }));
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw unreadable(`${file} cannot be read (${code ?? 'no reason given'})`, error);
  }
}

/**
 * What `getent passwd` prints of these users, or of all; '' where there is no such program.
 * @throws NarScanError HOMES_UNREADABLE
 */
export function getent(
  environment: NodeJS.ProcessEnv,
  keys: readonly string[],
  milliseconds: number = LIMITS.passwdMilliseconds,
): Promise<string> {
  const { execFile } = process.getBuiltinModule('node:child_process');
  const options = {
    env: { PATH: [environment['PATH'] ?? '', PLACES].filter((part) => part !== '').join(':'), LC_ALL: 'C' },
    timeout: milliseconds,
    killSignal: 'SIGKILL',
    maxBuffer: LIMITS.passwdBytes,
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile('getent', ['passwd', ...keys], options, (error, stdout) => {
      const refused = error === null ? undefined : error.code;
      if (error === null || refused === 'ENOENT' || refused === NOT_FOUND) resolve(stdout);
      else if (error.killed === true) {
        reject(unreadable(`getent passwd gave no answer within ${milliseconds / 1000} s`, error));
      } else
        reject(unreadable(`getent passwd failed (${refused ?? error.signal ?? 'no reason given'})`, error));
    });
    child.stdin?.end();
  });
}

function unreadable(message: string, cause: unknown): NarScanError {
  return new NarScanError('HOMES_UNREADABLE', message, { cause });
}
