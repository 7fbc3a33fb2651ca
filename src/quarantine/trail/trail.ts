import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { TrailHead } from '../../ledger/ledger.ts';
import { stateUnreadable } from '../../ledger/stateDir.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { once } from '../../model/once.ts';
import type { Digest } from '../../report/ids.ts';
import { lastLines, lineAt, linesOf } from './lines.ts';
import type { AuditRecord } from './record.ts';
import { NO_HASH, openedSeal, recordOf } from './seal.ts';
import { type IndexState, isUseless, TrailIndex } from './trailIndex.ts';

/** Files of a state directory. */
const TRAIL = 'audit.jsonl';
export const HEAD = 'audit.head';

const NONE: TrailHead = { sequence: 0, hash: NO_HASH };
const START: IndexState = { stamp: '', offset: 0, head: NONE };

const headSchema = once(() => z.strictObject({ sequence: z.int().check(z.minimum(0)), hash: z.string() }));

/**
 * An audit trail for reading: one JSON object a line, each with the hash of the one before it.
 * What is behind the last line feed was never acknowledged and does not count.
 */
export class Trail implements Disposable {
  readonly #directory: string;
  readonly #indexFile: string | null;
  readonly #digest: Digest;
  #index: TrailIndex;
  /** How many records were acknowledged when it was last looked at: there can be no fewer any more. */
  #acknowledged = 0;

  /**
   * @param directory the state directory
   * @param index file that what the trail says is kept in, ready to be asked; null: in memory
   */
  constructor(directory: string, index: string | null, digest: Digest) {
    this.#directory = directory;
    this.#indexFile = index;
    this.#digest = digest;
    this.#index = TrailIndex.open(index, digest);
  }

  get file(): string {
    return join(this.#directory, TRAIL);
  }

  /** Whether this user may read the one of a state directory, or there is none. @throws NarScanError STATE_UNREADABLE */
  static isReadable(directory: string): boolean {
    try {
      const descriptor = openTrail(join(directory, TRAIL));
      if (descriptor !== null) closeSync(descriptor);
      return true;
    } catch (error) {
      const { code } = (error as Error).cause as NodeJS.ErrnoException;
      if (code === 'EACCES') return false;
      throw error;
    }
  }

  /**
   * Looks at what is new. A trail whose file is as this program left it was verified before; any
   * other is verified from its first record on.
   *
   * @param seen a head of this trail that somebody else has seen
   * @returns its end
   * @throws NarScanError AUDIT_BROKEN, AUDIT_TRUNCATED, STATE_UNREADABLE
   */
  sync(seen: TrailHead | null): IndexState {
    // before the trail itself: it may grow meanwhile, and the head with it
    const heads = [this.#ownHead(), seen].filter((head) => head !== null);
    const descriptor = openTrail(this.file);
    try {
      const stamp = descriptor === null ? 'none' : stampOf(descriptor);
      const known = this.ask((index) => index.state());
      const end =
        known?.stamp === stamp ? known : this.ask((index) => this.#readInto(index, descriptor, stamp));
      this.#refuseOther(heads, end.head, descriptor);
      return end;
    } finally {
      if (descriptor !== null) closeSync(descriptor);
    }
  }

  /**
   * Verifies every record, whatever was verified before, and makes the index of them anew.
   * @returns the last one
   * @throws as {@link sync}
   */
  verify(seen: TrailHead | null): TrailHead {
    const heads = [this.#ownHead(), seen].filter((head) => head !== null);
    const descriptor = openTrail(this.file);
    try {
      const stamp = descriptor === null ? 'none' : stampOf(descriptor);
      const { head } = this.ask((index) => this.#readInto(index, descriptor, stamp, true));
      this.#refuseOther(heads, head, descriptor);
      return head;
    } finally {
      if (descriptor !== null) closeSync(descriptor);
    }
  }

  /** All records with their hashes, in order, verified on the way. @throws as {@link sync} */
  *records(): Generator<{ readonly record: AuditRecord; readonly hash: string }> {
    const descriptor = openTrail(this.file);
    if (descriptor === null) return;
    try {
      for (const { record, end } of this.#steps(descriptor, START)) {
        yield { record, hash: end.head.hash };
      }
    } finally {
      closeSync(descriptor);
    }
  }

  /** Reads the records whose lines stand at these offsets. @throws as {@link sync} */
  *recordsAt(offsets: Iterable<number>): Generator<AuditRecord> {
    const descriptor = openTrail(this.file);
    if (descriptor === null) return;
    try {
      const { size } = fstatSync(descriptor);
      for (const offset of offsets) {
        const line = lineAt(descriptor, offset, size, LIMITS.auditLineBytes);
        const read = line === null ? null : recordOf(line.bytes);
        if (read === null || 'fault' in read) {
          throw new NarScanError('AUDIT_BROKEN', `'${this.file}' has no record at byte ${offset}`);
        }
        yield read.record;
      }
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * The last records before an offset, the latest first, as far as the trail was looked at.
   * @param before of a line's first byte; null: the end
   * @throws as {@link sync}
   */
  lastRecords(
    before: number | null,
    count: number,
  ): readonly { readonly record: AuditRecord; readonly offset: number }[] {
    const end = this.ask((index) => index.state())?.offset ?? 0;
    const descriptor = openTrail(this.file);
    if (descriptor === null) return [];
    try {
      const offsets = lastLines(descriptor, Math.min(before ?? end, end), count);
      return [...this.recordsAt(offsets)].map((record, at) => ({ record, offset: offsets[at] ?? 0 }));
    } finally {
      closeSync(descriptor);
    }
  }

  [Symbol.dispose](): void {
    this.#index[Symbol.dispose]();
  }

  /**
   * Asks the index, or changes it. One that fails is replaced by one in memory, read from the trail.
   * @throws as {@link sync}
   */
  ask<T>(question: (index: TrailIndex) => T): T {
    try {
      return question(this.#index);
    } catch (error) {
      if (error instanceof NarScanError || this.#index.inMemory) throw error;
      this.#index[Symbol.dispose]();
      if (this.#indexFile !== null && isUseless(error)) TrailIndex.remove(this.#indexFile);
      this.#index = TrailIndex.open(null, this.#digest);
      this.sync(null);
      return question(this.#index);
    }
  }

  /** Brings the index up to date with the trail. @param anew whatever it has */
  #readInto(index: TrailIndex, descriptor: number | null, stamp: string, anew = false): IndexState {
    const size = descriptor === null ? 0 : fstatSync(descriptor).size;
    let end = START;
    index.transaction(() => {
      const known = anew ? null : index.state();
      const from = known !== null && known.offset <= size && this.#holds(descriptor, known) ? known : null;
      if (from === null) index.clear();
      end = this.#walk(descriptor, from ?? START, (record, offset) => index.add(record, offset));
      end = { ...end, stamp };
      index.setState(end);
    });
    return end;
  }

  /** Whether the trail begins with exactly the records that the index was made of. */
  #holds(descriptor: number | null, { offset, head }: IndexState): boolean {
    return (
      offset === 0 || (descriptor !== null && this.#hashAt(descriptor, offset, head.sequence) === head.hash)
    );
  }

  /** The hash of a record, if the chain holds up to it; else null. The records are not looked into. */
  #hashAt(descriptor: number, to: number, sequence: number): string | null {
    let hash = NO_HASH;
    let count = 0;
    for (const line of linesOf(descriptor, 0, to, LIMITS.auditLineBytes)) {
      const opened = line === null ? null : openedSeal(line.bytes, hash, this.#digest);
      if (opened === null || 'fault' in opened) return null;
      hash = opened.hash;
      if (++count === sequence) return hash;
    }
    return null;
  }

  #walk(
    descriptor: number | null,
    from: IndexState,
    each: (record: AuditRecord, offset: number) => void,
  ): IndexState {
    let end = from;
    if (descriptor === null) return end;
    for (const step of this.#steps(descriptor, from)) {
      each(step.record, step.offset);
      end = step.end;
    }
    return end;
  }

  /** The records behind `from`, each verified, with the offset of its line and where the next one begins. */
  *#steps(
    descriptor: number,
    from: IndexState,
  ): Generator<{ readonly record: AuditRecord; readonly offset: number; readonly end: IndexState }> {
    let { sequence, hash } = from.head;
    const { size } = fstatSync(descriptor);
    for (const line of linesOf(descriptor, from.offset, size, LIMITS.auditLineBytes)) {
      sequence++;
      if (line === null) throw this.#broken(sequence, 'is too long');
      const opened = openedSeal(line.bytes, hash, this.#digest);
      if ('fault' in opened) throw this.#broken(sequence, opened.fault);
      const read = recordOf(line.bytes);
      if ('fault' in read) throw this.#broken(sequence, read.fault);
      if (read.record.seq !== sequence) throw this.#broken(sequence, `has the number ${read.record.seq}`);
      ({ hash } = opened);
      const { offset } = line;
      const end = { stamp: '', offset: offset + line.bytes.length + 1, head: { sequence, hash } };
      yield { record: read.record, offset, end };
    }
  }

  #refuseOther(heads: readonly TrailHead[], last: TrailHead, descriptor: number | null): void {
    const least = Math.max(this.#acknowledged, ...heads.map(({ sequence }) => sequence));
    if (least > last.sequence) {
      const message = `'${this.file}' has ${last.sequence} records; there were ${least}`;
      throw new NarScanError('AUDIT_TRUNCATED', message);
    }
    for (const { sequence, hash } of heads) {
      if (sequence === 0 || (sequence === last.sequence && hash === last.hash)) continue;
      const size = descriptor === null ? 0 : fstatSync(descriptor).size;
      const found = descriptor === null ? null : this.#hashAt(descriptor, size, sequence);
      if (found !== hash) throw this.#broken(sequence, 'is not the one that was acknowledged');
    }
    this.#acknowledged = least;
  }

  #ownHead(): TrailHead | null {
    const file = join(this.#directory, HEAD);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw stateUnreadable(file, error);
    }
    try {
      return headSchema().parse(JSON.parse(text));
    } catch (error) {
      throw new NarScanError('AUDIT_BROKEN', `'${file}' is no head of an audit trail`, { cause: error });
    }
  }

  #broken(line: number, fault: string): NarScanError {
    return new NarScanError('AUDIT_BROKEN', `'${this.file}', line ${line}: the record ${fault}`);
  }
}

/** Opens a trail for reading; null where there is none. */
function openTrail(file: string): number | null {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw stateUnreadable(file, error);
  }
}

/** What of a file changes when its content does. */
export function stampOf(descriptor: number): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(descriptor, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
