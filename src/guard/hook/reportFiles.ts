import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories, syncDirectory, writeSynced } from '../../ledger/durable.ts';
import { stateNotWritten } from '../../ledger/stateDir.ts';
import { LIMITS } from '../../model/limits.ts';

const PRIVATE = 0o700;
const FILE_MODE = 0o600;
const NAME_LENGTH = 64;
/** `20261122T215930123Z-…`: names sort by time. With `.tmp`: a guard that did not come to an end. */
const REPORT = /^\d{8}T\d{9}Z-.*\.(?:json|txt)(?:\.tmp)?$/;
const KINDS = ['json', 'txt'] as const;

/** The two forms of one report: for programs, and for people. */
export type ReportTexts = Readonly<Record<(typeof KINDS)[number], string>>;

/**
 * Keeps a report in the state directory, beside those before it; of too many the oldest go.
 *
 * @param state the state directory, as `stateDirForWriting` gives it
 * @param name what was built, characters of store paths only
 * @returns the file for people; the other one has the ending `.json`
 * @throws NarScanError STATE_NOT_WRITTEN
 */
export function keepReport(state: string, name: string, texts: ReportTexts, now: Date): string {
  const directory = join(state, 'reports');
  const time = now.toISOString().replaceAll(/[-:.]/g, '');
  const base = join(directory, `${time}-${name.slice(0, NAME_LENGTH)}-${randomBytes(4).toString('hex')}`);
  try {
    makeDirectories(directory, PRIVATE);
    for (const kind of KINDS) {
      const aside = `${base}.${kind}.tmp`;
      writeSynced(aside, [texts[kind]], FILE_MODE);
      renameSync(aside, `${base}.${kind}`);
    }
    syncDirectory(directory);
    dropOldest(directory);
  } catch (error) {
    throw stateNotWritten(directory, error);
  }
  return `${base}.txt`;
}

function dropOldest(directory: string): void {
  const reports = readdirSync(directory).filter((name) => REPORT.test(name));
  const surplus = reports.length - KINDS.length * LIMITS.guardReports;
  if (surplus <= 0) return;
  // another guard may be at the same
  for (const name of reports.toSorted().slice(0, surplus)) rmSync(join(directory, name), { force: true });
}
