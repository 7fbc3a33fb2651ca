import type { PathInfo } from '../nix/database.ts';

/**
 * What is registered of store paths: the first of the databases that knows a path tells of it.
 * @throws NarScanError where there is a Nix database that cannot be read
 */
export async function registered(
  stateDirs: readonly string[],
  storePaths: readonly string[],
): Promise<ReadonlyMap<string, PathInfo>> {
  if (storePaths.length === 0) return new Map();
  const { pathInfosOf } = await import('../nix/database.ts');
  const found = new Map<string, PathInfo>();
  for (const stateDir of stateDirs) {
    const missing = storePaths.filter((path) => !found.has(path));
    if (missing.length === 0) break;
    for (const [path, info] of pathInfosOf(stateDir, missing)) found.set(path, info);
  }
  return found;
}
