import type { Ledger } from '../ledger/ledger.ts';
import { openLedger, openOwnReadOnly } from '../ledger/open.ts';
import { stateDirForWriting } from '../ledger/stateDir.ts';
import type { GateSettings } from '../policy/gate.ts';
import { AuditLog } from './audit.ts';
import type { AllDecisions } from './decision.ts';
import { openDecisions } from './decisions.ts';
import { notifierOf } from './notify/notifier.ts';

/** Told of what stops nothing. */
type Warn = (error: unknown) => void;

/**
 * The decisions that count for this user today.
 * @throws NarScanError STATE_*, AUDIT_*
 */
export async function openOwnDecisions(
  environment: NodeJS.ProcessEnv,
  warn: Warn,
): Promise<AllDecisions & Disposable> {
  const witness = orWithout(() => openOwnReadOnly(environment, warn), warn);
  try {
    return await openDecisions(environment, witness);
  } finally {
    await witness?.close();
  }
}

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

/** A ledger that cannot be opened has seen nothing; the trail and its head are there all the same. */
function orWithout(open: () => Ledger | null, warn: Warn): Ledger | null {
  try {
    return open();
  } catch (error) {
    warn(error);
    return null;
  }
}
