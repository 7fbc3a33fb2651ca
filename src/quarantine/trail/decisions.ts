import { hashPartOf } from '../../nix/storePath.ts';
import type { AllDecisions, Release } from '../decision.ts';
import type { Trail } from './trail.ts';

/**
 * The decisions of several trails, as they were when each was last looked at: a denial of any of them
 * denies, a release of any of them releases.
 */
export function decisionsOf(trails: readonly Trail[]): AllDecisions {
  const decisions: AllDecisions = {
    refresh() {
      for (const trail of trails) trail.sync(null);
    },
    denial: (storePath, narHash) => decisions.denialsOf(storePath, narHash)[0] ?? null,
    release(storePath, narHash, blocking, now) {
      const releases = decisions.releases(storePath, narHash, now);
      return releases.find((release) => covers(release, blocking)) ?? null;
    },
    denials: () => trails.flatMap((trail) => trail.ask((index) => index.denials())),
    denialsOf(storePath, narHash) {
      const hashPart = hashPartOf(storePath);
      return trails.flatMap((trail) => trail.ask((index) => index.denialsOf(hashPart, narHash)));
    },
    releases: (storePath, narHash, now) =>
      trails.flatMap((trail) => trail.ask((index) => lasting(index.releases(storePath, narHash), now))),
  };
  return decisions;
}

/** Those of some releases that have not expired. */
export function lasting(releases: readonly Release[], now: Date): readonly Release[] {
  return releases.filter(({ expires }) => expires === null || expires > now.getTime());
}

/**
 * Whether a release names all that blocks an output. What blocks without an id, such as an error, is
 * nothing that a person has looked at.
 */
export function covers(release: Release, blocking: readonly string[]): boolean {
  const covered = new Set(release.covers);
  return blocking.length > 0 && blocking.every((id) => covered.has(id));
}
