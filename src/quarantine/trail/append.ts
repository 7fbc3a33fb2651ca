import { constants, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { directorySynced, fileSynced, openFile } from '../../ledger/durable.ts';
import type { TrailHead } from '../../ledger/ledger.ts';
import { asSingle } from '../../ledger/lock.ts';
import { stateNotWritten } from '../../ledger/stateDir.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Digest } from '../../report/ids.ts';
import type { AuditEvent, AuditRecord } from './record.ts';
import { sealed } from './seal.ts';
import { HEAD, stampOf, type Trail } from './trail.ts';
import type { IndexState } from './trailIndex.ts';

const LOCK = 'audit.lock';
/** The state directory says who may read it. */
const MODE = 0o644;

/** Where the events go, and whose they are. */
interface AppendRequest {
  readonly directory: string;
  readonly trail: Trail;
  readonly actor: string;
  readonly digest: Digest;
  /** A head of the trail that somebody else has seen. */
  readonly seen: TrailHead | null;
}

interface Appended {
  readonly records: readonly AuditRecord[];
  readonly head: TrailHead;
}

/** Lines that are to follow the end of a trail. */
interface Continuation extends Appended {
  readonly lines: readonly Buffer[];
}

/**
 * Adds events to an audit trail, all of them together. When this resolves they outlive a crash.
 * @throws NarScanError STATE_LOCKED, STATE_NOT_WRITTEN, and as {@link Trail.sync}
 */
export async function append(request: AppendRequest, events: readonly AuditEvent[]): Promise<Appended> {
  return await asSingle(join(request.directory, LOCK), () => appendAlone(request, events));
}

async function appendAlone(request: AppendRequest, events: readonly AuditEvent[]): Promise<Appended> {
  const { directory, trail } = request;
  const end = trail.sync(request.seen);
  const { lines, records, head } = continued(end.head, events, request);
  const place = join(directory, HEAD);
  const aside = join(directory, `.${HEAD}.new`);
  try {
    // what takes room comes first: where there is none, nothing is in the trail that is not acknowledged
    await fileSynced(aside, [`${JSON.stringify(head)}\n`], MODE);
    const stamp = await write(trail.file, end.offset, lines);
    renameSync(aside, place);
    await directorySynced(directory);
    note(trail, end, { lines, records, head }, stamp);
  } catch (error) {
    rmSync(aside, { force: true });
    throw stateNotWritten(trail.file, error);
  }
  return { records, head };
}

function continued(
  last: TrailHead,
  events: readonly AuditEvent[],
  { actor, digest }: AppendRequest,
): Continuation {
  const at = new Date().toISOString();
  let { sequence, hash } = last;
  const lines: Buffer[] = [];
  const records: AuditRecord[] = [];
  for (const event of events) {
    const record = { seq: ++sequence, at, actor, ...event, prev: hash } satisfies AuditRecord;
    const { line, hash: own } = sealed(record, digest);
    const bytes = Buffer.from(line);
    if (bytes.length > LIMITS.auditLineBytes) {
      throw new NarScanError(
        'STATE_NOT_WRITTEN',
        `a record of ${bytes.length} bytes is too long for the trail`,
      );
    }
    hash = own;
    lines.push(bytes);
    records.push(record);
  }
  return { lines, records, head: { sequence, hash } };
}

/** Writes lines behind the records; what a crash left there goes. @returns how the file looks then */
async function write(file: string, offset: number, lines: readonly Buffer[]): Promise<string> {
  const handle = await openFile(file, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, MODE);
  try {
    const { size } = await handle.stat();
    if (size > offset) await handle.truncate(offset);
    try {
      await handle.writeFile(Buffer.concat(lines));
    } catch (error) {
      // else the next writer does so
      await handle.truncate(offset);
      throw error;
    }
    await handle.sync();
    return stampOf(handle.fd);
  } finally {
    await handle.close();
  }
}

/** Whatever is wrong with the index, the records are in the trail: it is made of them again. */
function note(trail: Trail, end: IndexState, { lines, records, head }: Continuation, stamp: string): void {
  let { offset } = end;
  trail.ask((index) =>
    index.transaction(() => {
      if (index.state()?.offset !== end.offset) return;
      for (const [at, record] of records.entries()) {
        index.add(record, offset);
        offset += lines[at]?.length ?? 0;
      }
      index.setState({ stamp, offset, head });
    }),
  );
}
