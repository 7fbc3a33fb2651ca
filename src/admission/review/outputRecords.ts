import type { AuditLog } from '../../quarantine/audit.ts';
import type { Quarantined } from '../../quarantine/judgement.ts';
import type { AuditRecord, QuarantinedRecord } from '../../quarantine/trail/record.ts';
import type { OutputRow } from '../../quarantine/trail/trailIndex.ts';

/** Outputs that are read at once. */
export const BATCH = 200;

/** The records of quarantined outputs. */
export function* recordsOf(log: AuditLog, rows: readonly OutputRow[]): Generator<Quarantined> {
  let at = 0;
  for (const record of log.trail.recordsAt(rows.map(({ offset }) => offset))) {
    const row = rows[at++];
    if (row !== undefined && isQuarantined(record)) yield { row, record };
  }
}

function isQuarantined(record: AuditRecord): record is QuarantinedRecord {
  return record.event === 'quarantined';
}
