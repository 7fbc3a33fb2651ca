import { LIMITS } from '../model/limits.ts';
import { reportError, type ReportError } from '../model/report.ts';
import { parseStorePathName } from '../nix/storePath.ts';
import { resolveTarget, type StoreDirs, type Target } from '../sources/target.ts';

const RESOLVING = 16;

/** A target, and what is known of it beforehand. */
export type Resolved = Target & {
  readonly argument: string;
  /** Its own store path and those it refers to; null where nobody knows them. */
  readonly references: readonly string[] | null;
  /** Hash parts that are searched for in it: its own first. */
  readonly hashParts: readonly string[];
};

/**
 * Finds out what the arguments mean, and what those in a store refer to; '-' is standard input.
 * @throws NarScanError where there is a Nix database that cannot be read
 */
export async function resolveTargets(
  targets: readonly string[],
  stores: StoreDirs,
  stateDirs: readonly string[],
  refused: (error: ReportError) => void,
): Promise<readonly Resolved[]> {
  const { default: pLimit } = await import('p-limit');
  const limit = pLimit(RESOLVING);
  const resolved = await Promise.all(
    targets.map((argument) =>
      limit(async (): Promise<(Target & { argument: string }) | ReportError> => {
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
  const found = resolved.filter((result) => 'kind' in result);
  const storePaths = found.flatMap(({ storePath }) => (storePath === null ? [] : [storePath]));
  const references = await referencesOf(stateDirs, storePaths);
  return found.map((target) => {
    const known = target.storePath === null ? undefined : references.get(target.storePath);
    const all = target.storePath === null || known === undefined ? null : [target.storePath, ...known];
    return { ...target, references: all, hashParts: hashParts(target, all ?? []) };
  });
}

/** The first of the databases that knows a path tells of it. */
async function referencesOf(
  stateDirs: readonly string[],
  storePaths: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (storePaths.length === 0) return new Map();
  const database = await import('../nix/database.ts');
  const found = new Map<string, readonly string[]>();
  for (const stateDir of stateDirs) {
    const missing = storePaths.filter((path) => !found.has(path));
    if (missing.length === 0) break;
    for (const [path, references] of database.referencesOf(stateDir, missing)) found.set(path, references);
  }
  return found;
}

function hashParts({ hashPart }: Target, references: readonly string[]): readonly string[] {
  const names = references.map((path) => parseStorePathName(path.slice(path.lastIndexOf('/') + 1)));
  const others = names.flatMap((name) => (name === null ? [] : [name.hashPart])).toSorted();
  // never those of other targets: what is found in an output must not depend on what lies beside it
  return [...new Set([...(hashPart === null ? [] : [hashPart]), ...others])].slice(0, LIMITS.hashParts);
}
