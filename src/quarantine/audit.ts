import { join } from 'node:path';
import type { Ledger, TrailHead } from '../ledger/ledger.ts';
import { type Digest, loadDigest } from '../report/ids.ts';
import { append } from './trail/append.ts';
import type { AuditEvent, AuditRecord, QuarantinedRecord } from './trail/record.ts';
import { Trail } from './trail/trail.ts';

/** The index of a state directory's own trail. */
export const OWN_INDEX = 'audit.index';

/** Who else remembers how far the trail went, so that a truncation shows. */
export type TrailWitness = Pick<Ledger, 'trailHead' | 'sawTrailHead'>;

/** Told of what was written; it neither throws nor keeps anybody waiting. */
export type Notify = (records: readonly AuditRecord[]) => void;

export interface AuditOptions {
  /** `alice@host` */
  readonly actor: string;
  readonly witness?: TrailWitness | null;
  readonly notify?: Notify | undefined;
  /** Told of a witness that could not be told: the record is written, and its head beside it. */
  readonly warn?: (error: unknown) => void;
}

/** The audit trail of a state directory, for writing. */
export class AuditLog implements Disposable {
  readonly directory: string;
  readonly trail: Trail;
  readonly digest: Digest;
  readonly #options: AuditOptions;

  private constructor(directory: string, digest: Digest, options: AuditOptions) {
    this.directory = directory;
    this.digest = digest;
    this.trail = new Trail(directory, join(directory, OWN_INDEX), digest);
    this.#options = options;
  }

  /** @param directory as `stateDirForWriting` gives it */
  static async open(directory: string, options: AuditOptions): Promise<AuditLog> {
    return new AuditLog(directory, await loadDigest(), options);
  }

  /**
   * Writes what happened. When this resolves it outlives a crash, and whoever wants to know is told.
   * @throws NarScanError AUDIT_BROKEN, AUDIT_TRUNCATED, STATE_UNREADABLE, STATE_LOCKED, STATE_NOT_WRITTEN
   */
  async append(...events: readonly AuditEvent[]): Promise<readonly AuditRecord[]> {
    if (events.length === 0) return [];
    const { directory, trail, digest } = this;
    const { actor, witness = null, notify, warn } = this.#options;
    const seen = await this.#seen();
    const { records, head } = await append({ directory, trail, digest, actor, seen }, events);
    await witness?.sawTrailHead(head).catch((error: unknown) => warn?.(error));
    notify?.(records);
    return records;
  }

  /** Looks at what others have written. @throws as {@link append} */
  async sync(): Promise<void> {
    this.trail.sync(await this.#seen());
  }

  /** Reads all of the trail, whatever was read before. @returns its last record @throws as {@link append} */
  async verify(): Promise<TrailHead> {
    return this.trail.verify(await this.#seen());
  }

  /**
   * The last record of each quarantined output, the oldest first, as far as the trail was looked at.
   * @param since milliseconds since 1970
   */
  *outputs(since: number): Generator<QuarantinedRecord> {
    let after = 0;
    for (;;) {
      const rows = this.trail.ask((index) => index.outputs(since, after));
      if (rows.length === 0) return;
      for (const record of this.trail.recordsAt(rows.map(({ offset }) => offset))) {
        if (record.event === 'quarantined') yield record;
      }
      after = rows.at(-1)?.seq ?? after;
    }
  }

  [Symbol.dispose](): void {
    this.trail[Symbol.dispose]();
  }

  async #seen(): Promise<TrailHead | null> {
    return (await this.#options.witness?.trailHead()) ?? null;
  }
}
