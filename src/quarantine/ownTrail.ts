import { openLedger } from '../ledger/open.ts';
import { stateDirForWriting } from '../ledger/stateDir.ts';
import type { GateSettings } from '../policy/gate.ts';
import { AuditLog } from './audit.ts';
import { notifierOf } from './notify/notifier.ts';
import { orWithout, type Warn } from './witness.ts';

/**
 * Opens the audit trail of this user for writing, for as long as `act` takes. The ledger is its witness,
 * and whoever the settings name is told of what is written.
 *
 * @param actor `alice@host`
 * @throws NarScanError STATE_*, AUDIT_*, and what `act` throws
 */
export async function withAuditLog<T>(
  environment: NodeJS.ProcessEnv,
  settings: Pick<GateSettings, 'notify'>,
  actor: string,
  warn: Warn,
  act: (log: AuditLog) => Promise<T>,
): Promise<T> {
  const directory = stateDirForWriting(environment);
  const witness = orWithout(() => openLedger(environment, warn), warn);
  try {
    const notify = notifierOf(settings.notify, directory, environment);
    using log = await AuditLog.open(directory, { actor, witness, notify, warn });
    return await act(log);
  } finally {
    await witness?.close();
  }
}
