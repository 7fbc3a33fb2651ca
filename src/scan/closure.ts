import { byteStringOfText } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import { reportError, type ReportError } from '../model/report.ts';
import { parsePathInStore } from '../nix/storePath.ts';
import type { StoreDirs, Target } from '../sources/target.ts';

/** A target, and what it is called in the report. */
export type Named = Target & { readonly argument: string };

/**
 * The targets, and behind them, sorted, all that they refer to and is not among them.
 *
 * @param refused told of each target whose references nobody knows; it is left out
 * @throws NarScanError where there is a Nix database that cannot be read
 */
export async function closureOf(
  targets: readonly Named[],
  stores: StoreDirs,
  stateDirs: readonly string[],
  refused: (error: ReportError) => void,
): Promise<readonly Named[]> {
  const { NixDatabase } = await import('../nix/database.ts');
  let left = [...new Set(targets.flatMap(({ storePath }) => storePath ?? []))];
  const members = new Set<string>();
  for (const stateDir of stateDirs) {
    if (left.length === 0) break;
    using database = NixDatabase.open(stateDir);
    if (database === null) continue;
    const { paths, invalid } = database.closure(left);
    for (const path of paths) members.add(path);
    left = [...invalid];
  }
  const valid = targets.filter(({ argument, storePath }) => {
    if (storePath !== null && members.has(storePath)) return true;
    const message = `'${argument}' is no valid store path: nobody knows what it refers to`;
    refused(reportError(new NarScanError('PATH_NOT_VALID', message), argument));
    return false;
  });
  for (const { storePath } of valid) members.delete(storePath ?? '');
  return [...valid, ...[...members].toSorted().map((path) => storePathTarget(path, stores))];
}

/**
 * Every valid path of the store.
 * @throws NarScanError NIX_DATABASE_UNREADABLE, or as it is read
 */
export async function allValidPaths(
  stores: StoreDirs,
  stateDirs: readonly string[],
): Promise<readonly Named[]> {
  const { NixDatabase } = await import('../nix/database.ts');
  for (const stateDir of stateDirs) {
    using database = NixDatabase.open(stateDir);
    if (database === null) continue;
    return Array.from(database.allPaths(), (path) => storePathTarget(path, stores));
  }
  const message = `there is no Nix database in ${stateDirs.map((path) => `'${path}'`).join(' or ')}`;
  throw new NarScanError('NIX_DATABASE_UNREADABLE', message);
}

/** @throws NarScanError NIX_DATABASE_UNREADABLE for a path of another store */
export function storePathTarget(storePath: string, { logical, disk }: StoreDirs): Named {
  const parts = parsePathInStore(byteStringOfText(logical), byteStringOfText(storePath));
  if (parts === null || parts.storePath !== storePath) {
    const message = `the Nix database has '${storePath}', which is no path of the store '${logical}'`;
    throw new NarScanError('NIX_DATABASE_UNREADABLE', message);
  }
  const path = byteStringOfText(disk + storePath.slice(logical.length));
  return { argument: storePath, kind: 'tree', path, storePath, hashPart: parts.hashPart };
}
