import type { AuditLog } from '../../quarantine/audit.ts';
import { recordText } from '../../quarantine/recordText.ts';
import type { AuditRecord } from '../../quarantine/trail/record.ts';
import { printableJson, printableText } from '../../report/printable.ts';
import { counted } from '../../report/units.ts';
import type { Arguments } from '../arguments.ts';
import { hasState, atDesk, noTrail, refuseOperands, sinceOf } from './quarantine/desk.ts';
import { outputFilter, RecordFilter } from './quarantine/filter.ts';

/** Bytes of text that are written at once. */
const PIECE = 65_536;

/** Flags that ask for records about some outputs. */
const FILTERS = ['path', 'home', 'rule'] as const;

/**
 * `audit verify`: reads every record, and says how many there are and which is the last. One that is not
 * there was not verified.
 *
 * @throws NarScanError AUDIT_*, STATE_*
 */
export async function verifyAudit(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  refuseOperands(said);
  if (!hasState(environment)) throw noTrail(environment);
  return await atDesk(said, environment, async ({ log }) => {
    const { sequence, hash } = await log.verify();
    if (sequence === 0) throw noTrail(environment);
    return `${log.trail.file}: ${counted(sequence, 'record')}, the last is ${hash}\n`;
  });
}

/**
 * `audit list`: all records, one line each, or those from a day on or about some outputs.
 * @throws as {@link verifyAudit}
 */
export async function listAudit(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  write: (text: string) => void,
): Promise<void> {
  refuseOperands(said);
  if (!hasState(environment)) return;
  const json = said.has('json');
  const since = sinceOf(said.last('since'), new Date());
  await atDesk(said, environment, async ({ log }) => {
    const isAsked = FILTERS.some((flag) => said.has(flag));
    const filter = isAsked ? new RecordFilter(outputFilter(said), recordsOf(log.trail)) : null;
    let piece = '';
    for (const { record, hash } of log.trail.records()) {
      const fits = filter?.fits(record) ?? true;
      if (!fits || Date.parse(record.at) < since) continue;
      const liftedBy = log.trail.ask((index) => index.liftOf(record.seq));
      piece += json ? `${printableJson({ ...record, hash })}\n` : lineOf(record, liftedBy);
      if (piece.length < PIECE) continue;
      write(piece);
      piece = '';
    }
    write(piece);
  });
}

function* recordsOf(trail: AuditLog['trail']): Generator<AuditRecord> {
  for (const { record } of trail.records()) yield record;
}

function lineOf(record: AuditRecord, liftedBy: number | null): string {
  const { seq, at, actor, event } = record;
  const lifted = liftedBy === null ? '' : ` (lifted by record ${liftedBy})`;
  return `${seq}  ${at}  ${printableText(actor)}  ${event} ${printableText(recordText(record))}${lifted}\n`;
}
