import { LIMITS } from '../model/limits.ts';
import { reportError, type ReportError } from '../model/report.ts';
import { parseStorePathName } from '../nix/storePath.ts';
import type { PathInfo } from '../nix/database.ts';
import { refuseMissing, resolveTarget, type StoreDirs, type Target } from '../sources/target.ts';
import type { Named } from './closure.ts';
import { registered } from './registered.ts';

const RESOLVING = 16;

/** A target, and what is known of it beforehand. */
export type Resolved = Target & {
  readonly argument: string;
  /** Its own store path and those it refers to; null where nobody knows them. */
  readonly references: readonly string[] | null;
  /** What the Nix database has registered of it; null where it is no valid store path. */
  readonly info: PathInfo | null;
  /** Hash parts that are searched for in it: its own first. */
  readonly hashParts: readonly string[];
};

/** How far a scan reaches: what is named, that and all it refers to, or every valid path of the store. */
export type Reach = 'named' | 'closure' | 'all';

/**
 * Finds out what the arguments mean, and what those in a store refer to; '-' is standard input.
 * @throws NarScanError where there is a Nix database that cannot be read
 */
export async function resolveTargets(
  targets: readonly string[],
  reach: Reach,
  stores: StoreDirs,
  stateDirs: readonly string[],
  refused: (error: ReportError) => void,
): Promise<readonly Resolved[]> {
  const found = await reached(
    await namedTargets(targets, stores, refused),
    reach,
    stores,
    stateDirs,
    refused,
  );
  const storePaths = found.flatMap(({ storePath }) => (storePath === null ? [] : [storePath]));
  const infos = await registered(stateDirs, storePaths);
  return found.map((target) => withInfo(target, infos.get(target.storePath ?? '') ?? null));
}

/**
 * Valid store paths as targets.
 * @param infos what is registered of them
 * @param refused told of each that is not there any more; it is left out
 * @throws NarScanError NIX_DATABASE_UNREADABLE for a path of another store
 */
export async function validTargets(
  infos: Iterable<PathInfo>,
  stores: StoreDirs,
  refused: (error: ReportError) => void,
): Promise<readonly Resolved[]> {
  const { storePathTarget } = await import('./closure.ts');
  const found: Resolved[] = [];
  for (const info of infos) {
    const target = storePathTarget(info.storePath, stores);
    try {
      refuseMissing(info.storePath, target.path ?? '');
      found.push(withInfo(target, info));
    } catch (error) {
      refused(reportError(error, info.storePath));
    }
  }
  return found;
}

/** A target with what is registered of it; null where nothing is. */
export function withInfo(target: Named, info: PathInfo | null): Resolved {
  const all = target.storePath === null || info === null ? null : [target.storePath, ...info.references];
  return { ...target, references: all, info, hashParts: searchedHashParts(target.hashPart, all ?? []) };
}

async function reached(
  named: readonly Named[],
  reach: Reach,
  stores: StoreDirs,
  stateDirs: readonly string[],
  refused: (error: ReportError) => void,
): Promise<readonly Named[]> {
  if (reach === 'named') return named;
  const { allValidPaths, closureOf } = await import('./closure.ts');
  if (reach === 'all') return await allValidPaths(stores, stateDirs);
  return await closureOf(named, stores, stateDirs, refused);
}

async function namedTargets(
  targets: readonly string[],
  stores: StoreDirs,
  refused: (error: ReportError) => void,
): Promise<readonly Named[]> {
  const { default: pLimit } = await import('p-limit');
  const limit = pLimit(RESOLVING);
  const resolved = await Promise.all(
    targets.map((argument) =>
      limit(async (): Promise<Named | ReportError> => {
        if (argument === '-') return { argument, kind: 'nar', path: null, storePath: null, hashPart: null };
        try {
          return { argument, ...(await resolveTarget(argument, stores)) };
        } catch (error) {
          return reportError(error, argument);
        }
      }),
    ),
  );
  // told in the order of the arguments, whichever was known first
  for (const result of resolved) if (!('kind' in result)) refused(result);
  return resolved.filter((result) => 'kind' in result);
}

/** The hash parts that are searched for in an output: its own first. @param references store paths, its own among them */
export function searchedHashParts(hashPart: string | null, references: readonly string[]): readonly string[] {
  const names = references.map((path) => parseStorePathName(path.slice(path.lastIndexOf('/') + 1)));
  const others = names.flatMap((name) => (name === null ? [] : [name.hashPart])).toSorted();
  // never those of other targets: what is found in an output must not depend on what lies beside it
  return [...new Set([...(hashPart === null ? [] : [hashPart]), ...others])].slice(0, LIMITS.hashParts);
}
