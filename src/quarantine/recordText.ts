import type { AuditRecord } from './trail/record.ts';

/** What a record of the trail is about, and why, in one line; raw, for whoever makes it printable. */
export function recordText(record: AuditRecord): string {
  switch (record.event) {
    case 'quarantined':
      return `${record.id} ${record.storePath}: ${[...record.rules, ...record.gaps].join(', ')}`;
    case 'withheld':
    case 'rejected':
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
    case 'settled':
      return `${record.home}, found in ${record.id}: ${record.reason}`;
  }
}
