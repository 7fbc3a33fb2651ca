import { realpathSync } from 'node:fs';
import { HOME_ROOTS, isService, normalHome, refuseHome, refusePasswdHome } from '../../needles/homes.ts';
import { mountOf, type Mount } from '../../nix/mountinfo.ts';
import type { Found } from './found.ts';
import type { FoundUser } from './passwd.ts';

const FIRST_UID = 1000;
const FIRST_UID_MACOS = 500;

/** What homes are looked for by. */
export interface HomeClues {
  readonly environment: NodeJS.ProcessEnv;
  readonly users: readonly FoundUser[];
  readonly mounts: readonly Mount[];
  /** Physical places of the store. */
  readonly aliases: readonly string[];
}

/**
 * The homes of this machine: those of people among its users, of whoever runs the program (HOME) or
 * had it run (SUDO_USER), those in which the store lies, and what each really is where it is a
 * link. Root's is not among them: `/root/…` has a rule of its own.
 */
export function* hostHomes({ environment, users, mounts, aliases }: HomeClues): Generator<Found> {
  const firstUid = process.platform === 'darwin' ? FIRST_UID_MACOS : FIRST_UID;
  for (const user of users) {
    const from = `${user.from}, user ${user.name}`;
    const reason = refusePasswdHome(user, firstUid);
    const service = isService(user, firstUid) ? ({ service: true } as const) : {};
    yield reason === null
      ? { path: normalHome(user.home), from }
      : { path: user.home, from, reason, ...service };
    if (reason === null && !mountsOnDemand(mounts, user.home)) yield* reality(user.home);
  }
  const home = environment['HOME'] ?? '';
  if (home !== '') yield* named(home, 'HOME');
  const sudo = environment['SUDO_USER'] ?? '';
  const caller = sudo === '' ? undefined : users.find(({ name }) => name === sudo);
  if (caller !== undefined) yield* named(caller.home, `SUDO_USER, user ${sudo}`);
  for (const alias of aliases) {
    const holder = homeAround(alias);
    if (holder !== null) yield* named(holder, `holds the store ${alias}`);
  }
}

/** A home that somebody named, and what it really is on this machine where that is another directory. */
export function* named(path: string, from: string): Generator<Found> {
  const reason = refusal(path);
  yield reason === null ? { path: normalHome(path), from } : { path, from, reason };
  if (reason === null) yield* reality(path);
}

/** Why a directory that was found is left out. */
function refusal(path: string): string | null {
  return refuseHome(path) ?? (normalHome(path) === '/root' ? 'has a rule of its own (root-home)' : null);
}

/** A home that does not exist, or that nobody may look at, is only what it is called. */
function* reality(home: string): Generator<Found> {
  let real: string;
  try {
    real = realpathSync(home);
  } catch {
    return;
  }
  if (real === normalHome(home)) return;
  const from = `what ${normalHome(home)} really is`;
  const reason = refusal(real);
  yield reason === null ? { path: real, from } : { path: real, from, reason };
}

/** Whether looking at a home would have the system mount it. */
function mountsOnDemand(mounts: readonly Mount[], home: string): boolean {
  return mountOf(mounts, normalHome(home))?.type === 'autofs';
}

/** `<home root>/<user>` in which a directory lies, or null. */
function homeAround(directory: string): string | null {
  for (const root of HOME_ROOTS) {
    if (!directory.startsWith(`${root}/`)) continue;
    const user = directory.slice(root.length + 1).split('/', 1)[0] as string;
    return `${root}/${user}`;
  }
  return null;
}
