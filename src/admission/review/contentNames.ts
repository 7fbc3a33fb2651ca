import { isAbsolute, join } from 'node:path';
import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { AuditLog } from '../../quarantine/audit.ts';
import { readKept } from '../../quarantine/store/findings.ts';
import { INFO_FILE, quarantineDir } from '../../quarantine/store/place.ts';
import type { QuarantinedRecord } from '../../quarantine/trail/record.ts';
import { type NarSearch, readKeptNar } from './keptNar.ts';
import { BATCH, recordsOf } from './outputRecords.ts';
import type { ContentNames } from './views.ts';

/** Entries that are named: enough to know a package by. */
const ENTRIES = 12;
const DEPTH = 2;
const PATHS = 5;

/**
 * What content is known as whose store path nobody has told; null for an output that has one.
 * @param state the state directory
 * @throws NarScanError as reading the trail does
 */
export async function contentNames(
  state: string,
  log: AuditLog,
  { id, storePath, narHash }: Pick<QuarantinedRecord, 'id' | 'storePath' | 'narHash'>,
): Promise<ContentNames | null> {
  if (isAbsolute(storePath)) return null;
  const entries = new FirstEntries();
  await readKeptNar(state, id, entries, LIMITS.reviewNamesBytes);
  return {
    sentAs: sentAs(state, id, storePath),
    paths: narHash === null ? [] : pathsWith(log, narHash),
    entries: entries.found,
  };
}

/** The name of the object that was sent; null where it is what the content is called, nobody wrote it down, or it was purged. */
function sentAs(state: string, id: string, called: string): string | null {
  try {
    const info: unknown = JSON.parse(readKept(join(quarantineDir(state), id, INFO_FILE)).toString());
    const { target } = info as { readonly target?: unknown };
    return typeof target === 'string' && target !== called ? target : null;
  } catch {
    // it is only good to know
    return null;
  }
}

/** Store paths with which the same content was refused, too, the latest first; of the latest outputs only. */
function pathsWith(log: AuditLog, narHash: string): readonly string[] {
  const found = new Set<string>();
  let before = Number.MAX_SAFE_INTEGER;
  for (let looked = 0; looked < LIMITS.reviewedOutputs; looked += BATCH) {
    const rows = log.trail.ask((index) => index.outputsBefore(before, BATCH));
    for (const { row, record } of recordsOf(log, rows)) {
      before = row.seq;
      if (isAbsolute(record.storePath) && record.narHash === narHash) found.add(record.storePath);
    }
    if (rows.length < BATCH || found.size >= PATHS) break;
  }
  return [...found].slice(0, PATHS);
}

/** The first entries of a NAR that lie in its root or right below one that does. */
class FirstEntries implements NarSearch {
  readonly found: ByteString[] = [];

  #isOneFile = false;

  get isDone(): boolean {
    return this.#isOneFile || this.found.length >= ENTRIES;
  }

  directory(path: ByteString): void {
    this.#entry(path, '/');
  }

  symlink(path: ByteString): void {
    this.#entry(path, '');
  }

  file(path: ByteString): void {
    this.#isOneFile = path === '';
    this.#entry(path, '');
  }

  contents(): void {
    // only names are wanted
  }

  fileEnd(): void {
    // only names are wanted
  }

  #entry(path: ByteString, end: '/' | ''): void {
    const depth = path.split('/', DEPTH + 1).length;
    // a root that is no directory has no name
    if (path !== '' && depth <= DEPTH && !this.isDone) this.found.push(path + end);
  }
}
