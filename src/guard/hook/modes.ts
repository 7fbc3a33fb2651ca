import { NarScanError } from '../../model/errors.ts';
import { type GateSettings, GUARD_MODES, type GuardMode, type IncompleteMode } from '../../policy/gate.ts';
import type { Standing } from '../standing.ts';

/** What happens to an output, the mildest first: it may go, it stays here, and the build fails besides. */
export const FATES = ['pass', 'withhold', 'reject'] as const;
export type Fate = (typeof FATES)[number];

const OF_MODE: Readonly<Record<GuardMode, Fate>> = {
  enforce: 'reject',
  quarantine: 'withhold',
  report: 'pass',
};
const OF_INCOMPLETE: Readonly<Record<IncompleteMode, Fate>> = {
  reject: 'reject',
  withhold: 'withhold',
  report: 'pass',
};

/**
 * The settings of a guard; NAR_SCAN_GUARD_MODE beats the policy file.
 * @throws NarScanError GUARD_BAD_ENVIRONMENT for a mode that does not exist
 */
export function guardSettings(
  { guard }: GateSettings,
  environment: NodeJS.ProcessEnv,
): GateSettings['guard'] {
  const said = environment['NAR_SCAN_GUARD_MODE'] ?? '';
  if (said === '') return guard;
  const mode = GUARD_MODES.find((one) => one === said);
  if (mode !== undefined) return { ...guard, mode };
  throw new NarScanError(
    'GUARD_BAD_ENVIRONMENT',
    `NAR_SCAN_GUARD_MODE: '${said}' is none of ${GUARD_MODES.join(', ')}`,
  );
}

/** What becomes of an output in whose closure something of this standing is. */
export function fateOf(
  standing: Standing,
  { mode, incomplete }: Pick<GateSettings['guard'], 'mode' | 'incomplete'>,
): Fate {
  if (standing === 'contaminated') return OF_MODE[mode];
  if (standing === 'incomplete') return OF_INCOMPLETE[incomplete];
  // what a person denied stays here in every mode
  if (standing === 'denied') return mode === 'enforce' ? 'reject' : 'withhold';
  return 'pass';
}

/** The worst of them; `pass` of none. */
export function worstFate(fates: Iterable<Fate>): Fate {
  return FATES[Math.max(0, ...[...fates].map((fate) => FATES.indexOf(fate)))] ?? 'reject';
}
