import type { AuditRecord } from '../../quarantine/trail/record.ts';
import { printableJson, printableText } from '../../report/printable.ts';
import { counted } from '../../report/units.ts';
import type { Arguments } from '../arguments.ts';
import { hasState, inSession, refuseOperands } from './quarantine/session.ts';

/** Bytes of text that are written at once. */
const PIECE = 65_536;

/**
 * `audit verify`: reads every record, and says how many there are and which is the last.
 * @throws NarScanError AUDIT_*, STATE_*
 */
export async function verifyAudit(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  refuseOperands(said);
  if (!hasState(environment)) return 'there is no audit trail yet\n';
  return await inSession(said, environment, async ({ log }) => {
    const { sequence, hash } = await log.verify();
    if (sequence === 0) return 'there is no audit trail yet\n';
    return `${log.trail.file}: ${counted(sequence, 'record')}, the last is ${hash}\n`;
  });
}

/**
 * `audit list`: all records, one line each.
 * @throws as {@link verifyAudit}
 */
export async function listAudit(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  write: (text: string) => void,
): Promise<void> {
  refuseOperands(said);
  if (!hasState(environment)) return;
  const textOf = said.has('json') ? (record: AuditRecord) => `${printableJson(record)}\n` : lineOf;
  await inSession(said, environment, async ({ log }) => {
    let piece = '';
    for (const record of log.trail.records()) {
      piece += textOf(record);
      if (piece.length < PIECE) continue;
      write(piece);
      piece = '';
    }
    write(piece);
  });
}

function lineOf(record: AuditRecord): string {
  const { seq, at, actor, event } = record;
  return `${seq}  ${at}  ${printableText(actor)}  ${event} ${printableText(aboutOf(record))}\n`;
}

function aboutOf(record: AuditRecord): string {
  switch (record.event) {
    case 'quarantined':
      return `${record.id} ${record.storePath}: ${[...record.rules, ...record.gaps].join(', ')}`;
    case 'withheld':
      return `${record.storePath}: ${record.because}`;
    case 'released':
      return `${record.storePath}${record.expires === null ? '' : ` until ${record.expires}`}: ${record.reason}`;
    case 'denied':
      return `${record.storePath ?? record.narHash ?? record.hashPart ?? ''}: ${record.reason}`;
    case 'lifted':
      return `record ${record.decision}: ${record.reason}`;
    case 'purged':
      return `${record.id} ${record.storePath}: ${record.because}`;
    case 'exported':
      return `${record.id} ${record.storePath} to ${record.to}`;
  }
}
