import { LIMITS } from '../../model/limits.ts';
import { NarScanError } from '../../model/errors.ts';

/** Where guards write down for those that are started below them what they are at. */
const VARIABLE = 'NAR_SCAN_GUARD_NESTING';

/** In which guards a guard runs: those whose `then` led to it, by a build of its own. */
export interface Nesting {
  /**
   * Whether `then` of a guard of the same build is running already: what is at it is only told, and
   * not started once more, or the two would go on for ever.
   */
  readonly again: boolean;
  /** Variables for what this guard starts. */
  readonly variables: NodeJS.ProcessEnv;
}

/**
 * What the environment tells of guards around this one. A build that `then` starts may have outputs of
 * its own, which must be scanned as all others; it may even be the same build (`--rebuild`).
 *
 * @param build what is the same for the same build: its derivation, or its outputs
 * @throws NarScanError GUARD_NESTED_TOO_DEEP where each guard leads to another build
 */
export function nestingOf(environment: NodeJS.ProcessEnv, build: string): Nesting {
  const around = (environment[VARIABLE] ?? '').split(' ').filter((word) => word !== '');
  if (around.length >= LIMITS.guardNesting) {
    throw new NarScanError(
      'GUARD_NESTED_TOO_DEEP',
      `${around.length} guards run inside each other, the last for '${around.at(-1)}'`,
    );
  }
  return { again: around.includes(build), variables: { [VARIABLE]: [...around, build].join(' ') } };
}
