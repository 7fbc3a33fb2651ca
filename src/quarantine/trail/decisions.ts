import { hashPartOf } from '../../nix/storePath.ts';
import type { AllDecisions, Denial, Release } from '../decision.ts';
import type { Trail } from './trail.ts';
import type { TrailIndex } from './trailIndex.ts';

/** Trails that are open; there may be more of them later. */
interface OpenTrails {
  readonly all: readonly Trail[];
  /** The one of this user. */
  readonly own: Trail | null;
}

/**
 * The decisions of several trails, as they were when each was last looked at: a denial of any of them
 * denies, a release of any of them releases.
 */
export function decisionsOf(trails: OpenTrails): Omit<AllDecisions, 'refresh'> {
  const all = <T extends Denial | Release>(question: (index: TrailIndex) => readonly T[]): readonly T[] =>
    trails.all.flatMap((trail) => {
      const found = trail.ask(question);
      return trail === trails.own ? found : found.map((decision) => ({ ...decision, trail: trail.file }));
    });
  const decisions: Omit<AllDecisions, 'refresh'> = {
    denial: (storePath, narHash) => decisions.denialsOf(storePath, narHash)[0] ?? null,
    release(storePath, narHash, blocking, now) {
      const releases = decisions.releasesOf(storePath, narHash, now);
      return releases.find((release) => covers(release, blocking)) ?? null;
    },
    fingerprint: () => trails.all.map((trail) => trail.ask((index) => index.decisionSum()) ?? '').join(' '),
    denials: () => all((index) => index.denials()),
    denialsOf(storePath, narHash) {
      const hashPart = hashPartOf(storePath);
      return all((index) => index.denialsOf(hashPart, narHash));
    },
    releases: (now) =>
      lasting(
        all((index) => index.releases()),
        now,
      ),
    releasesOf: (storePath, narHash, now) =>
      lasting(
        all((index) => index.releasesOf(storePath, narHash)),
        now,
      ),
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
