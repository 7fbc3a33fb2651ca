import { readFileSync } from 'node:fs';
import { NarScanError } from '../../model/errors.ts';
import { refuseAlias } from '../../needles/aliases.ts';
import { normalHome, refuseHome } from '../../needles/homes.ts';
import { parseMountinfo, type Mount } from '../../nix/mountinfo.ts';
import type { StoreDirs } from '../target.ts';
import { accepted, distinct, type Found } from './found.ts';
import { hostHomes, named } from './hostHomes.ts';
import { usersOf } from './passwd.ts';
import { storeAliases } from './storeAliases.ts';

/** Where somebody named a directory. */
const NAMED = 'an option or the policy';

/** What somebody named, and where to look. */
export interface SurroundingsRequest {
  readonly homes: readonly string[];
  readonly hostHomes: boolean;
  readonly aliases: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Homes and aliases of this machine, those that are left out among them. */
export interface Surroundings {
  readonly homes: readonly Found[];
  readonly aliases: readonly Found[];
}

/**
 * Finds the homes and the physical places of the store: those that were named, and those that this
 * machine tells of.
 *
 * @throws NarScanError USAGE_BAD_HOME, USAGE_BAD_ALIAS for one that was named and is none, HOMES_UNREADABLE
 */
export async function surroundings(request: SurroundingsRequest, stores: StoreDirs): Promise<Surroundings> {
  const { environment } = request;
  const users = request.hostHomes ? usersOf(environment) : Promise.resolve([]);
  // an answer that comes too late for anybody is no fault of its own
  users.catch(() => undefined);
  for (const home of request.homes) refuse('USAGE_BAD_HOME', home, refuseHome(home));
  for (const alias of request.aliases) refuse('USAGE_BAD_ALIAS', alias, refuseAlias(alias, stores.logical));
  const mounts = mountsOf();
  const aliases = distinct([
    ...request.aliases.map((path): Found => ({ path: normalHome(path), from: NAMED })),
    ...storeAliases({ environment, stores, mounts }),
  ]);
  const clues = { environment, mounts, aliases: accepted(aliases), users: await users };
  const homes = request.homes.flatMap((home) => [
    // what a person says counts, even of root
    { path: normalHome(home), from: NAMED },
    ...named(home, NAMED),
  ]);
  return { homes: distinct([...homes, ...(request.hostHomes ? hostHomes(clues) : [])]), aliases };
}

function refuse(code: 'USAGE_BAD_HOME' | 'USAGE_BAD_ALIAS', path: string, reason: string | null): void {
  if (reason !== null) throw new NarScanError(code, `'${path}' ${reason}`);
}

/** The mounts of this process; none where the system does not tell. */
function mountsOf(): readonly Mount[] {
  try {
    return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return [];
  }
}
