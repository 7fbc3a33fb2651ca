import { existsSync } from 'node:fs';
import { stateDirForReading, stateDirOf } from '../../../ledger/stateDir.ts';
import { NarScanError } from '../../../model/errors.ts';
import { dayStart, spanOf } from '../../../model/when.ts';
import { parseContentName } from '../../../nix/narHash.ts';
import { hashPartOf } from '../../../nix/storePath.ts';
import type { Policy } from '../../../policy/policy.ts';
import { actorOf } from '../../../quarantine/actor.ts';
import type { AuditLog } from '../../../quarantine/audit.ts';
import { outputAt, outputNamed, outputOfContent } from '../../../quarantine/judgement.ts';
import { withAuditLog } from '../../../quarantine/ownTrail.ts';
import type { QuarantinedRecord } from '../../../quarantine/trail/record.ts';
import type { Arguments } from '../../arguments.ts';
import { warn } from '../../decisions.ts';
import { surroundedOf } from '../../invocation.ts';
import { loadPolicy } from '../../policy/policyFile.ts';

/** The state of this user as these commands work with it. */
export interface Desk {
  readonly log: AuditLog;
  readonly policy: Policy;
}

/**
 * Opens the audit trail of this user, brought up to date, for as long as `act` takes.
 * @throws NarScanError STATE_*, AUDIT_*, POLICY_*, and what `act` throws
 */
export async function atDesk<T>(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  act: (desk: Desk) => Promise<T>,
): Promise<T> {
  const { policy } = await loadPolicy(said.last('policy'), environment);
  const actor = said.last('by') ?? actorOf(environment);
  return await withAuditLog(environment, policy.gate, actor, warn, async (log) => {
    await log.sync();
    try {
      return await act({ log, policy });
    } catch (error) {
      throw withPlace(error, log.directory);
    }
  });
}

/** Of what is not known here it is told where it was looked for: others' states lie elsewhere. */
function withPlace(error: unknown, directory: string): unknown {
  if (!(error instanceof NarScanError) || error.code !== 'QUARANTINE_UNKNOWN') return error;
  return new NarScanError(error.code, `${error.message} (in ${directory})`, { cause: error });
}

/** Whether there is any state that could be looked at. @throws NarScanError STATE_* */
export function hasState(environment: NodeJS.ProcessEnv): boolean {
  return stateDirForReading(environment) !== null;
}

/** What is said where no record was ever written. @throws NarScanError STATE_UNKNOWN */
export function noTrail(environment: NodeJS.ProcessEnv): NarScanError {
  return new NarScanError('AUDIT_MISSING', `there is no audit trail in '${stateDirOf(environment)}'`);
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

/** Milliseconds since 1970 from which on something is wanted, by `--since`. */
export function sinceOf(text: string | null, now: Date): number {
  if (text === null) return 0;
  const span = spanOf(text);
  return span === null ? (dayStart(text)?.getTime() ?? 0) : now.getTime() - span;
}

/**
 * The output in quarantine that an id, a store path, a link to one or the name of a content means.
 * @throws NarScanError QUARANTINE_UNKNOWN, PATH_NOT_IN_STORE, TARGET_MISSING, TARGET_UNREADABLE
 */
export async function outputMeant(
  { log }: Pick<Desk, 'log'>,
  named: string,
  said: Arguments,
  environment: NodeJS.ProcessEnv,
): Promise<QuarantinedRecord> {
  const narHash = parseContentName(named);
  if (narHash !== null) return outputOfContent(log, narHash).record;
  if (!isPath(named)) return outputNamed(log, named).record;
  return outputAt(log, await storePathMeant(named, said, environment)).record;
}

/** Whether a word is a path, or the name of a file here, and not an id. */
export function isPath(named: string): boolean {
  if (/^[0-9a-f]{4,16}$/.test(named)) return false;
  return named.includes('/') || hashPartOf(named) !== null || existsSync(named);
}

/**
 * The store path that is meant by it, by a link to it or by what lies in it; it need not be there any more.
 * @throws NarScanError PATH_NOT_IN_STORE, TARGET_MISSING, TARGET_UNREADABLE
 */
export async function storePathMeant(
  named: string,
  said: Arguments,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const { storePathsOf } = await import('../../gate.ts');
  try {
    const [storePath = named] = await storePathsOf({ ...surroundedOf(said, environment), targets: [named] });
    return storePath;
  } catch (error) {
    if (hashPartOf(named) !== null) return named;
    throw error;
  }
}
