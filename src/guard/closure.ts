import { NarScanError } from '../model/errors.ts';
import { NixDatabase, type PathInfo } from '../nix/database.ts';

/** A closure as the Nix database has it: all that can be reached is in the map. */
export type Closure = ReadonlyMap<string, PathInfo>;

/**
 * The closure of store paths, by the first of the databases in which all of them that must be valid are.
 *
 * @param stateDirs where databases may lie
 * @param named must be valid
 * @param derived count where they are valid
 * @throws NarScanError PATH_NOT_VALID, NIX_DATABASE_VERSION, NIX_DATABASE_LOCKED, NIX_DATABASE_UNREADABLE
 */
export function closureOf(
  stateDirs: readonly string[],
  named: readonly string[],
  derived: readonly string[] = [],
): Closure {
  const roots = [...new Set([...named, ...derived])];
  let missing: string | null = null;
  for (const stateDir of stateDirs) {
    using database = NixDatabase.open(stateDir);
    if (database === null) continue;
    const { paths, invalid } = database.closure(roots);
    const lacks = invalid.find((path) => named.includes(path));
    if (lacks === undefined && paths.length > 0) return complete(database.infos(paths), paths);
    missing ??= lacks ?? roots[0] ?? null;
  }
  if (missing !== null) throw notValid(missing);
  throw new NarScanError(
    'NIX_DATABASE_UNREADABLE',
    `there is no Nix database in ${stateDirs.map((directory) => `'${directory}/db'`).join(' or ')}`,
  );
}

/** Between two questions to the database something may have been collected. */
function complete(infos: Closure, paths: readonly string[]): Closure {
  const gone = paths.find((path) => !infos.has(path));
  if (gone !== undefined) throw notValid(gone);
  return infos;
}

function notValid(storePath: string): NarScanError {
  return new NarScanError('PATH_NOT_VALID', `'${storePath}' is no valid path of the store`);
}
