import type { Ledger } from '../ledger/ledger.ts';
import { openLedger } from '../ledger/open.ts';
import type { AuditLog } from '../quarantine/audit.ts';
import type { AllDecisions } from '../quarantine/decision.ts';
import { openOwnDecisions } from '../quarantine/ownDecisions.ts';
import { withAuditLog } from '../quarantine/ownTrail.ts';
import { orWithout } from '../quarantine/witness.ts';
import type { ServerSettings } from './settings.ts';

/** What people decide about what comes to this server, and where that is recorded. */
export interface ServerTrail {
  /** Those that count for this server: of its own trail, and of this machine's. */
  readonly decisions: AllDecisions;
  /** Opens the audit trail for what somebody does. */
  withTrail<T>(actor: string, act: (trail: AuditLog) => Promise<T>): Promise<T>;
}

/**
 * The audit trail in the state directory of a server.
 * @param warn is told of what is wrong with it and keeps nobody from using it
 * @throws NarScanError STATE_*, AUDIT_*: nobody knows what was decided
 */
export async function openServerTrail(
  { state, policy }: Pick<ServerSettings, 'state' | 'policy'>,
  outer: NodeJS.ProcessEnv,
  warn: (error: unknown) => void,
): Promise<ServerTrail & AsyncDisposable> {
  const environment = { ...outer, NAR_SCAN_STATE: state };
  const decisions = await openOwnDecisions(environment, warn);
  // who closes a ledger last writes its log back and syncs it, which takes this thread: not for every record
  let witness: Ledger | null = null;
  return {
    decisions,
    withTrail: async (actor, act) => {
      witness ??= orWithout(() => openLedger(environment, warn), warn);
      return await withAuditLog(environment, policy.gate, actor, warn, act, witness);
    },
    [Symbol.asyncDispose]: async () => {
      decisions[Symbol.dispose]();
      await witness?.close();
    },
  };
}
