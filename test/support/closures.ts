import type { PathInfo } from '../../src/nix/database.ts';

/** What Nix would have registered of a path that refers to these. */
export function pathInfo(storePath: string, references: readonly string[] = [], narSize = 120): PathInfo {
  return {
    storePath,
    narHash: `sha256:${'0'.repeat(52)}`,
    narSize,
    registrationTime: 1,
    deriver: null,
    signatures: [],
    ca: null,
    references,
  };
}

/** A closure of paths with these references. */
export function closureIn(references: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, PathInfo> {
  return new Map([...references].map(([path, of]) => [path, pathInfo(path, of)]));
}
