import { NarScanError } from '../../../model/errors.ts';
import { dayStart, spanOf } from '../../../model/when.ts';
import { denialOf, liftOf, outputNamed, releaseOf } from '../../../quarantine/judgement.ts';
import type { AuditEvent } from '../../../quarantine/trail/record.ts';
import { printableText } from '../../../report/printable.ts';
import { counted } from '../../../report/units.ts';
import type { Arguments } from '../../arguments.ts';
import { todaysDecisions } from '../../decisions.ts';
import { inSession, onlyOperand, reasonOf, type Session } from './session.ts';

/**
 * `quarantine release`: lets an output out in spite of exactly what it was quarantined for.
 * @throws NarScanError QUARANTINE_*, USAGE_*, STATE_*, AUDIT_*, POLICY_*
 */
export async function releaseQuarantined(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const named = onlyOperand(said, 'ID');
  const reason = reasonOf(said);
  const expires = expiryOf(said.last('expires'), new Date());
  return await inSession(said, environment, async (session) => {
    const { record } = outputNamed(session.log, named);
    using decisions = await todaysDecisions(environment);
    if (decisions.denial(record.storePath, record.narHash) !== null) {
      throw new NarScanError(
        'QUARANTINE_NOT_RELEASABLE',
        `${record.storePath} is denied: a release would not count`,
      );
    }
    const number = await append(session, releaseOf(record, reason, expires));
    const covered = counted(record.blocking.length, 'finding or gap', 'findings and gaps');
    const until = expires === null ? '' : ` until ${expires.toISOString()}`;
    return `released ${printableText(record.storePath)}${until}, in spite of ${covered} (record ${number})\n`;
  });
}

/**
 * `quarantine deny`: an output, a store path or a content that is never let out.
 * @throws as {@link releaseQuarantined}
 */
export async function denyOutput(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const named = onlyOperand(said, 'ID, STORE-PATH or sha256:HASH');
  const reason = reasonOf(said);
  return await inSession(said, environment, async (session) => {
    const number = await append(session, denialOf(session.log, named, reason));
    return `denied ${printableText(named)} (record ${number})\n`;
  });
}

/**
 * `quarantine lift`: a denial or a release that counts no more.
 * @throws as {@link releaseQuarantined}
 */
export async function liftDecision(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const named = onlyOperand(said, 'NUMBER');
  const reason = reasonOf(said);
  if (!/^[0-9]{1,15}$/.test(named)) {
    throw new NarScanError('USAGE_BAD_VALUE', `'${named}' is no number of a record; see nar-scan audit list`);
  }
  return await inSession(said, environment, async (session) => {
    const number = await append(session, liftOf(session.log, Number(named), reason));
    return `lifted the decision of record ${Number(named)} (record ${number})\n`;
  });
}

/** @returns the number of the record */
async function append({ log }: Session, event: AuditEvent): Promise<number> {
  const [record] = await log.append(event);
  return record?.seq ?? 0;
}

function expiryOf(text: string | null, now: Date): Date | null {
  if (text === null) return null;
  const span = spanOf(text);
  const expires = span === null ? dayStart(text) : new Date(now.getTime() + span);
  if (expires === null || expires <= now) {
    throw new NarScanError('USAGE_BAD_VALUE', `--expires: '${text}' is not in the future`);
  }
  return expires;
}
