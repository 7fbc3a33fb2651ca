import { basename } from 'node:path';
import { parseStorePathName } from '../../nix/storePath.ts';
import type { Decisions } from '../decision.ts';
import type { Trail } from './trail.ts';

/**
 * The decisions of several trails, as they were when each was last looked at: a denial of any of them
 * denies, a release of any of them releases.
 */
export function decisionsOf(trails: readonly Trail[]): Decisions {
  return {
    refresh() {
      for (const trail of trails) trail.sync(null);
    },
    denial(storePath, narHash) {
      const hashPart = parseStorePathName(basename(storePath))?.hashPart ?? null;
      for (const trail of trails) {
        const denial = trail.ask((index) => index.denial(hashPart, narHash));
        if (denial !== null) return denial;
      }
      return null;
    },
    release(storePath, narHash, blocking, now) {
      // what blocks without an id, such as an error, is nothing that a person has looked at
      if (blocking.length === 0) return null;
      for (const trail of trails) {
        for (const release of trail.ask((index) => index.releases(storePath, narHash))) {
          const covered = new Set(release.covers);
          const lasts = release.expires === null || release.expires > now.getTime();
          if (lasts && blocking.every((id) => covered.has(id))) return release;
        }
      }
      return null;
    },
  };
}
