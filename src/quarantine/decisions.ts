import { join } from 'node:path';
import { stateDirForReading, SYSTEM_STATE, systemStateDir } from '../ledger/stateDir.ts';
import { type Digest, loadDigest } from '../report/ids.ts';
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
  const trails = new Trails(environment, system, await loadDigest());
  try {
    trails.open();
    const seen = (await witness?.trailHead()) ?? null;
    for (const trail of trails.all) trail.sync(trail === trails.own ? seen : null);
  } catch (error) {
    trails[Symbol.dispose]();
    throw error;
  }
  return {
    ...decisionsOf(trails),
    refresh() {
      trails.open();
      for (const trail of trails.all) trail.sync(null);
    },
    [Symbol.dispose]: () => trails[Symbol.dispose](),
  };
}

/** The trails that there are. The first denial makes the directory in which it stands. */
class Trails implements Disposable {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #system: string;
  readonly #digest: Digest;
  readonly all: Trail[] = [];
  own: Trail | null = null;
  #machine: Trail | null = null;

  constructor(environment: NodeJS.ProcessEnv, system: string, digest: Digest) {
    this.#environment = environment;
    this.#system = system;
    this.#digest = digest;
  }

  /** Opens those that were not there before. @throws NarScanError STATE_* */
  open(): void {
    if (this.own !== null && this.#machine !== null) return;
    const own = stateDirForReading(this.#environment);
    const machine = systemStateDir(own, this.#system);
    // it is asked first: who refreshes often would open an index each time
    if (machine !== null && this.#machine === null && Trail.isReadable(machine)) {
      this.#machine = this.#add(machine, own === null ? null : join(own, SYSTEM_INDEX));
    }
    if (own !== null) this.own ??= this.#add(own, join(own, OWN_INDEX));
  }

  [Symbol.dispose](): void {
    for (const trail of this.all) trail[Symbol.dispose]();
  }

  #add(directory: string, index: string | null): Trail {
    const trail = new Trail(directory, index, this.#digest);
    this.all.push(trail);
    return trail;
  }
}
