import { openLedger } from '../ledger/open.ts';
import { stateDirForWriting } from '../ledger/stateDir.ts';
import type { Policy } from '../policy/policy.ts';
import { AuditLog } from '../quarantine/audit.ts';
import { notifierOf } from '../quarantine/notify/notifier.ts';
import { orWithout, warn } from './decisions.ts';

/**
 * Opens the audit trail of this user for writing, for as long as `act` takes. The ledger is its witness,
 * and whoever the policy names is told of what is written.
 *
 * @throws NarScanError STATE_*, AUDIT_*, and what `act` throws
 */
export async function withAuditLog<T>(
  environment: NodeJS.ProcessEnv,
  { gate }: Policy,
  actor: string,
  act: (log: AuditLog) => Promise<T>,
): Promise<T> {
  const directory = stateDirForWriting(environment);
  const witness = orWithout(() => openLedger(environment, warn));
  try {
    const notify = notifierOf(gate.notify, directory, environment);
    using log = await AuditLog.open(directory, { actor, witness, notify, warn });
    return await act(log);
  } finally {
    await witness?.close();
  }
}
