import { openLedger } from '../ledger/open.ts';
import { stateDirForWriting } from '../ledger/stateDir.ts';
import type { GateSettings } from '../policy/gate.ts';
import { AuditLog, type TrailWitness } from './audit.ts';
import { notifierOf } from './notify/notifier.ts';
import { orWithout, type Warn } from './witness.ts';

/**
 * Opens the audit trail of this user for writing, for as long as `act` takes. The ledger is its witness,
 * and whoever the settings name is told of what is written.
 *
 * @param actor `alice@host`
 * @param open the ledger, where the caller has it open, or null where it has none; left out: it is opened for this alone
 * @throws NarScanError STATE_*, AUDIT_*, and what `act` throws
 */
export async function withAuditLog<T>(
  environment: NodeJS.ProcessEnv,
  settings: Pick<GateSettings, 'notify'>,
  actor: string,
  warn: Warn,
  act: (log: AuditLog) => Promise<T>,
  open?: TrailWitness | null,
): Promise<T> {
  const directory = stateDirForWriting(environment);
  const own = open === undefined ? orWithout(() => openLedger(environment, warn), warn) : null;
  const witness = open ?? own;
  try {
    const notify = notifierOf(settings.notify, directory, environment);
    using log = await AuditLog.open(directory, { actor, witness, notify, warn });
    return await act(log);
  } finally {
    await own?.close();
  }
}
