import { stateDirForReading } from '../../../ledger/stateDir.ts';
import { NarScanError } from '../../../model/errors.ts';
import type { Policy } from '../../../policy/policy.ts';
import { actorOf } from '../../../quarantine/actor.ts';
import type { AuditLog } from '../../../quarantine/audit.ts';
import type { Arguments } from '../../arguments.ts';
import { withAuditLog } from '../../audit.ts';
import { loadPolicy } from '../../policy/policyFile.ts';

/** The state of this user as these commands work with it. */
export interface Session {
  readonly log: AuditLog;
  readonly policy: Policy;
}

/**
 * Opens the audit trail of this user, brought up to date, for as long as `act` takes.
 * @throws NarScanError STATE_*, AUDIT_*, POLICY_*, and what `act` throws
 */
export async function inSession<T>(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  act: (session: Session) => Promise<T>,
): Promise<T> {
  const { policy } = await loadPolicy(said.last('policy'), environment);
  return await withAuditLog(environment, policy, said.last('by') ?? actorOf(environment), async (log) => {
    await log.sync();
    return await act({ log, policy });
  });
}

/** Whether there is any state that could be looked at. @throws NarScanError STATE_* */
export function hasState(environment: NodeJS.ProcessEnv): boolean {
  return stateDirForReading(environment) !== null;
}

/** The reason that was given. @throws NarScanError USAGE_MISSING_VALUE */
export function reasonOf(said: Arguments): string {
  const reason = said.last('reason');
  if (reason === null) throw new NarScanError('USAGE_MISSING_VALUE', `${said.command} needs --reason TEXT`);
  return reason;
}

/** The one operand of a command. @throws NarScanError USAGE_MISSING_VALUE, USAGE_BAD_VALUE */
export function onlyOperand({ command, targets }: Arguments, name: string): string {
  const [first, ...others] = targets;
  if (first === undefined) throw new NarScanError('USAGE_MISSING_VALUE', `${command} needs ${name}`);
  if (others.length > 0) throw new NarScanError('USAGE_BAD_VALUE', `${command} takes one ${name}`);
  return first;
}

/** @throws NarScanError USAGE_BAD_VALUE */
export function refuseOperands({ command, targets }: Arguments): void {
  const [first] = targets;
  if (first === undefined) return;
  throw new NarScanError('USAGE_BAD_VALUE', `${command} takes no argument such as '${first}'`);
}
