import { join } from 'node:path';
import { stateDirForReading, SYSTEM_STATE, systemStateDir } from '../ledger/stateDir.ts';
import { loadDigest } from '../report/ids.ts';
import { OWN_INDEX, type TrailWitness } from './audit.ts';
import type { AllDecisions } from './decision.ts';
import { decisionsOf } from './trail/decisions.ts';
import { Trail } from './trail/trail.ts';

/** The index of the machine's trail, which others must not write to, in one's own state. */
const SYSTEM_INDEX = 'audit-system.index';

/**
 * The decisions that count for this user: those of the machine's trail, where it may be read, and
 * those of the user's own. Both are brought up to date here.
 *
 * @param witness of the user's own trail
 * @throws NarScanError AUDIT_BROKEN, AUDIT_TRUNCATED, STATE_UNKNOWN, STATE_UNSAFE, STATE_UNREADABLE
 */
export async function openDecisions(
  environment: NodeJS.ProcessEnv,
  witness: Pick<TrailWitness, 'trailHead'> | null,
  system: string = SYSTEM_STATE,
): Promise<AllDecisions & Disposable> {
  const own = stateDirForReading(environment);
  const machine = systemStateDir(own, system);
  const digest = await loadDigest();
  const trails: Trail[] = [];
  let ownTrail: Trail | null = null;
  try {
    if (machine !== null) {
      const trail = new Trail(machine, own === null ? null : join(own, SYSTEM_INDEX), digest);
      trails.push(trail);
      if (trail.isReadable()) trail.sync(null);
      else trails.pop()?.[Symbol.dispose]();
    }
    if (own !== null) {
      const trail = new Trail(own, join(own, OWN_INDEX), digest);
      trails.push(trail);
      ownTrail = trail;
      trail.sync((await witness?.trailHead()) ?? null);
    }
  } catch (error) {
    for (const trail of trails) trail[Symbol.dispose]();
    throw error;
  }
  const decisions = decisionsOf(trails, ownTrail);
  return {
    ...decisions,
    [Symbol.dispose]: () => {
      for (const trail of trails) trail[Symbol.dispose]();
    },
  };
}
