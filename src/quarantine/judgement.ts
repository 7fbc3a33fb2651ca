import { basename } from 'node:path';
import { NarScanError } from '../model/errors.ts';
import { parseNarHash } from '../nix/narHash.ts';
import { parseStorePathName } from '../nix/storePath.ts';
import type { AuditLog } from './audit.ts';
import type { AuditEvent, QuarantinedRecord } from './trail/record.ts';
import type { OutputRow } from './trail/trailIndex.ts';

/** A quarantined output as the trail has it. */
export interface Quarantined {
  readonly row: OutputRow;
  readonly record: QuarantinedRecord;
}

const PREFIX = /^[0-9a-f]{4,16}$/;

/**
 * The quarantined output with this id, or whose id alone begins so (4 digits at least).
 * @throws NarScanError QUARANTINE_UNKNOWN
 */
export function outputNamed({ trail }: AuditLog, id: string): Quarantined {
  const rows = PREFIX.test(id) ? trail.ask((index) => index.outputsNamed(id)) : [];
  const [row, other] = rows;
  if (other !== undefined) {
    throw new NarScanError('QUARANTINE_UNKNOWN', `several outputs have an id that begins with '${id}'`);
  }
  const [record] = row === undefined ? [] : trail.recordsAt([row.offset]);
  if (row === undefined || record?.event !== 'quarantined') {
    throw new NarScanError('QUARANTINE_UNKNOWN', `no output in quarantine has the id '${id}'`);
  }
  return { row, record };
}

/**
 * A release of an output, in spite of exactly what it was quarantined for.
 * @param expires when it counts no more; null: never
 * @throws NarScanError QUARANTINE_NOT_RELEASABLE
 */
export function releaseOf(record: QuarantinedRecord, reason: string, expires: Date | null): AuditEvent {
  const { id, storePath, narHash, blocking } = record;
  if (narHash === null) {
    throw new NarScanError(
      'QUARANTINE_NOT_RELEASABLE',
      `${storePath} could not be read as a whole, so nobody knows what would be released`,
    );
  }
  return {
    event: 'released',
    id,
    storePath,
    narHash,
    covers: blocking,
    reason,
    expires: expires?.toISOString() ?? null,
  };
}

/**
 * A denial of an output in quarantine (by its id), a store path, or a NarHash in any form that Nix writes.
 * @throws NarScanError QUARANTINE_UNKNOWN
 */
export function denialOf(log: AuditLog, named: string, reason: string): AuditEvent {
  const none = { event: 'denied', id: null, storePath: null, hashPart: null, narHash: null, reason } as const;
  const narHash = parseNarHash(named);
  if (narHash !== null) return { ...none, narHash };
  const parts = parseStorePathName(basename(named));
  if (parts !== null) return { ...none, storePath: named, hashPart: parts.hashPart };
  if (/[/:]|^sha256-/.test(named)) {
    throw new NarScanError('QUARANTINE_UNKNOWN', `'${named}' is no store path and no NarHash`);
  }
  const { id, storePath, narHash: own } = outputNamed(log, named).record;
  const hashPart = parseStorePathName(basename(storePath))?.hashPart ?? null;
  return { ...none, id, storePath, hashPart, narHash: own };
}

/**
 * Lifts a denial or a release.
 * @param decision the number of its record
 * @throws NarScanError QUARANTINE_UNKNOWN
 */
export function liftOf({ trail }: AuditLog, decision: number, reason: string): AuditEvent {
  if (!trail.ask((index) => index.decides(decision))) {
    throw new NarScanError('QUARANTINE_UNKNOWN', `record ${decision} is no denial or release that counts`);
  }
  return { event: 'lifted', decision, reason };
}
