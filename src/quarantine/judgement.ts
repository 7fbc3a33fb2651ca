import { basename } from 'node:path';
import { NarScanError } from '../model/errors.ts';
import { contentName, parseContentName, parseNarHash } from '../nix/narHash.ts';
import { hashPartOf, parseStorePathName } from '../nix/storePath.ts';
import type { AuditLog } from './audit.ts';
import type { Decisions, Denial, Release } from './decision.ts';
import { deniedText } from './decisionText.ts';
import type { DecidedOn } from './lifting.ts';
import { quarantineId } from './store/place.ts';
import { covers, lasting } from './trail/decisions.ts';
import type { AuditEvent, QuarantinedRecord } from './trail/record.ts';
import type { OutputRow } from './trail/trailIndex.ts';

/** A quarantined output as the trail has it. */
export interface Quarantined {
  readonly row: OutputRow;
  readonly record: QuarantinedRecord;
}

const PREFIX = /^[0-9a-f]{4,16}$/;
/** Ids that a message names. */
const SHOWN_IDS = 5;

/**
 * The quarantined output with this id, or whose id alone begins so (4 digits at least).
 * @throws NarScanError QUARANTINE_UNKNOWN, QUARANTINE_AMBIGUOUS
 */
export function outputNamed({ trail }: AuditLog, id: string): Quarantined {
  const rows = PREFIX.test(id) ? trail.ask((index) => index.outputsNamed(id)) : [];
  const [row, other] = rows;
  if (other !== undefined) {
    throw new NarScanError('QUARANTINE_AMBIGUOUS', `several outputs have an id that begins with '${id}'`);
  }
  const record = row === undefined ? null : recordOf(trail, row);
  if (row === undefined || record === null) {
    throw new NarScanError('QUARANTINE_UNKNOWN', `no output in quarantine has the id '${id}'`);
  }
  return { row, record };
}

/**
 * What was quarantined last of a store path.
 * @throws NarScanError QUARANTINE_UNKNOWN
 */
export function outputAt(log: AuditLog, storePath: string): Quarantined {
  const found = knownOutputAt(log, storePath);
  if (found === null) throw new NarScanError('QUARANTINE_UNKNOWN', `'${storePath}' is not in quarantine`);
  return found;
}

/** As {@link outputAt}, or null where there is none: whoever sends paths may send another name with the same hash part. */
export function knownOutputAt(log: AuditLog, storePath: string): Quarantined | null {
  const [latest = null] = outputsAt(log, storePath);
  return latest;
}

/** All that was quarantined of a store path, the latest first. */
function* outputsAt({ trail }: AuditLog, storePath: string): Generator<Quarantined, void, undefined> {
  const hashPart = hashPartOf(storePath);
  if (hashPart === null) return;
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const rows = trail.ask((index) => index.outputsAt(hashPart, before));
    const last = rows.at(-1);
    if (last === undefined) return;
    before = last.seq;
    for (const row of rows) {
      const record = recordOf(trail, row);
      if (record !== null && basename(record.storePath) === basename(storePath)) yield { row, record };
    }
  }
}

/**
 * A store path must mean one content where it is to be released: whoever sends paths may have another one refused
 * after somebody has looked, or after one was released.
 *
 * @param decisions that count, denials of the machine among them
 * @throws NarScanError QUARANTINE_AMBIGUOUS where another content of the path was refused that is not denied
 */
export function refuseOthers(
  log: AuditLog,
  decisions: Pick<Decisions, 'denial'>,
  meant: QuarantinedRecord,
): void {
  const ids = [meant.id];
  for (const { record } of outputsAt(log, meant.storePath)) {
    const { id, storePath, narHash } = record;
    if (id === meant.id || narHash === null || decisions.denial(storePath, narHash) !== null) continue;
    ids.push(id);
    if (ids.length === SHOWN_IDS) break;
  }
  if (ids.length === 1) return;
  const message = `${meant.storePath} was refused with several contents (the latest first: ${ids.join(', ')})`;
  throw new NarScanError('QUARANTINE_AMBIGUOUS', message);
}

/**
 * What was quarantined of content whose store path nobody had told.
 * @throws NarScanError QUARANTINE_UNKNOWN
 */
export function outputOfContent(log: AuditLog, narHash: string): Quarantined {
  const name = contentName(narHash);
  const [row] = log.trail.ask((index) => index.outputsNamed(quarantineId(name, narHash, log.digest)));
  const record = row === undefined ? null : recordOf(log.trail, row);
  if (row === undefined || record === null) {
    throw new NarScanError('QUARANTINE_UNKNOWN', `'${name}' is not in quarantine`);
  }
  return { row, record };
}

function recordOf(trail: AuditLog['trail'], { offset }: OutputRow): QuarantinedRecord | null {
  const [record] = trail.recordsAt([offset]);
  return record?.event === 'quarantined' ? record : null;
}

/** Releases of an output that count for what it was quarantined for, by this trail. */
function releasesOn(
  { trail }: AuditLog,
  { storePath, narHash, blocking }: QuarantinedRecord,
  now: Date,
): readonly Release[] {
  if (narHash === null) return [];
  const releases = trail.ask((index) => index.releasesOf(storePath, narHash));
  return lasting(releases, now).filter((release) => covers(release, blocking));
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

/** What releasing an output takes. */
interface Releasing {
  /** A release that counts already and says the same; then nothing is to be written. */
  readonly same: Release | null;
  /** Numbers of the records of those whose place it takes. */
  readonly replaced: readonly number[];
  /** What is to be written, the release last. */
  readonly events: readonly AuditEvent[];
}

/**
 * A release of an output as {@link releaseOf}, in the place of those before it that cover the same.
 * @param decisions that count, denials of the machine among them
 * @throws NarScanError QUARANTINE_NOT_RELEASABLE
 */
export function releasing(
  log: AuditLog,
  decisions: Pick<Decisions, 'denial'>,
  record: QuarantinedRecord,
  reason: string,
  expires: Date | null,
  now: Date,
): Releasing {
  const denial = decisions.denial(record.storePath, record.narHash);
  if (denial !== null) {
    const message = `${record.storePath} is ${deniedText(denial)}: a release would not count`;
    throw new NarScanError('QUARANTINE_NOT_RELEASABLE', message);
  }
  const event = releaseOf(record, reason, expires);
  const standing = releasesOn(log, record, now);
  const until = expires?.getTime() ?? null;
  const same = standing.find((release) => release.reason === reason && release.expires === until) ?? null;
  const replaced = standing
    .filter((release) => sameIds(release.covers, record.blocking))
    .map(({ sequence }) => sequence);
  const lifts = replaced.map((sequence) => liftEvent(sequence, 'another release takes its place'));
  return { same, replaced, events: [...lifts, event] };
}

function sameIds(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id));
}

/** A denial or a release that counts no more. */
export function liftEvent(decision: number, reason: string): AuditEvent {
  return { event: 'lifted', decision, reason };
}

/**
 * A denial of an output in quarantine (by its id), a store path, or a NarHash in any form that Nix writes, also as the
 * name of a content.
 * @throws NarScanError QUARANTINE_UNKNOWN, PATH_NOT_IN_STORE
 */
export function denialOf(log: AuditLog, named: string, reason: string): AuditEvent {
  const none = { event: 'denied', id: null, storePath: null, hashPart: null, narHash: null, reason } as const;
  const narHash = parseNarHash(named) ?? parseContentName(named);
  if (narHash !== null) return { ...none, narHash };
  const parts = parseStorePathName(basename(named));
  if (parts !== null) return { ...none, storePath: named, hashPart: parts.hashPart };
  if (/[/:]|^sha256-/.test(named)) {
    throw new NarScanError('PATH_NOT_IN_STORE', `'${named}' is no store path and no NarHash`);
  }
  const { id, storePath, narHash: own } = outputNamed(log, named).record;
  const hashPart = hashPartOf(storePath);
  if (hashPart === null && own === null) {
    const message = `'${storePath}' has neither a store path nor a NarHash: nothing of it can be denied`;
    throw new NarScanError('PATH_NOT_IN_STORE', message);
  }
  return { ...none, id, storePath, hashPart, narHash: own };
}

/**
 * The denial or release that a record of this trail made.
 * @param decision the number of the record
 * @throws NarScanError DECISION_UNKNOWN
 */
export function decisionOf({ trail }: AuditLog, decision: number): Denial | Release {
  const found = trail.ask((index) => index.decision(decision));
  if (found === null) {
    throw new NarScanError('DECISION_UNKNOWN', `record ${decision} is no denial or release that counts`);
  }
  return found;
}

/** The denials and releases that are meant and stand in this trail, expired ones, too. */
export function decisionsOn({ trail }: AuditLog, isMeant: DecidedOn): readonly (Denial | Release)[] {
  return trail.ask((index) => [...index.denials(), ...index.releases()]).filter(isMeant);
}
