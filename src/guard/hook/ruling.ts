import type { GateSettings } from '../../policy/gate.ts';
import type { GateAnswer } from '../gate.ts';
import { isFree, type PathStanding } from '../standing.ts';
import { type Fate, fateOf, worstFate } from './modes.ts';

/** What becomes of one output of the build, and why. */
export interface Ruling {
  readonly storePath: string;
  readonly narHash: string | null;
  readonly fate: Fate;
  /** What of its closure is neither clean nor released, itself first, then what is worst. */
  readonly blockers: readonly PathStanding[];
}

/** What becomes of outputs whose closures the gate was asked about. */
export function rulingsOn(
  storePaths: readonly string[],
  { standings, graph }: GateAnswer,
  settings: GateSettings['guard'],
): readonly Ruling[] {
  return storePaths.map((storePath) => {
    const paths = graph.blockersOf(storePath);
    const known = paths.flatMap((path) => standings.get(path) ?? []);
    const fates = known.map(({ standing }) => fateOf(standing, settings));
    const strange = known.length < paths.length || (paths.length === 0 && !graph.mayLeave(storePath));
    const rank = ({ storePath: path, standing }: PathStanding): number =>
      path === storePath ? -1 : RANKS.indexOf(standing);
    return {
      storePath,
      narHash: standings.get(storePath)?.narHash ?? null,
      // nobody knows what a path is that is not in the closure
      fate: strange ? 'reject' : worstFate(fates),
      blockers: known.filter(({ standing }) => !isFree(standing)).toSorted((a, b) => rank(a) - rank(b)),
    };
  });
}

const RANKS: readonly PathStanding['standing'][] = ['denied', 'contaminated', 'incomplete'];
