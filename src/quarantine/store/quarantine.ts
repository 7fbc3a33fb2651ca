import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { asSingle } from '../../ledger/lock.ts';
import { stateNotWritten } from '../../ledger/stateDir.ts';
import { NarScanError } from '../../model/errors.ts';
import type { GateSettings } from '../../policy/gate.ts';
import { blockingIds } from '../../report/blocking.ts';
import type { AuditLog } from '../audit.ts';
import type { AuditEvent, AuditRecord, QuarantinedRecord } from '../trail/record.ts';
import type { OutputRow } from '../trail/trailIndex.ts';
import type { Refused } from './bundle.ts';
import { quarantinedEvent } from './event.ts';
import {
  bytesIn,
  hasFindings,
  keptBytes,
  NAR_FILE,
  quarantineDir,
  quarantineId,
  quarantineLock,
} from './place.ts';
import { KeptSizes } from './keptSizes.ts';
import { Staged } from './staged.ts';

/** What became of an output that was given to the quarantine. */
export interface Entry {
  readonly id: string;
  /** Bytes of the kept NAR on disk; null where it is not kept. */
  readonly kept: number | null;
  /** Why the output itself is not kept, although it was to be; what was found is recorded all the same. */
  readonly refusal: NarScanError | null;
}

/** What is taken away of an output. */
interface Removal {
  readonly event: Extract<AuditEvent, { event: 'purged' }>;
  /** What was found in it, too, not only its NAR. */
  readonly whole: boolean;
}

/** Outputs that were refused, kept aside with what was found in them. */
export class Quarantine {
  readonly #log: AuditLog;
  readonly #settings: GateSettings['quarantine'];
  readonly #directory: string;
  readonly #sizes: KeptSizes;

  /** @param sizes of whoever keeps one output after another there, and counts them once */
  constructor(log: AuditLog, settings: GateSettings['quarantine'], sizes?: KeptSizes) {
    this.#log = log;
    this.#settings = settings;
    this.#directory = quarantineDir(log.directory);
    this.#sizes = sizes ?? new KeptSizes(this.#directory);
  }

  /**
   * Records an output as refused and, unless the settings say otherwise, keeps its NAR, which must be the
   * one that was scanned. What is recorded already for the same
   * findings and gaps is not recorded again, and what was purged stays away.
   *
   * @throws NarScanError as {@link AuditLog.append}: then nothing is recorded
   */
  async keep(refused: Refused): Promise<Entry> {
    const { directory: state, digest } = this.#log;
    const id = quarantineId(refused.storePath, refused.facts.narHash, digest);
    const blocking = blockingIds(refused.result, refused.policy, digest);
    await this.#log.sync();
    const known = this.#known(id, blocking);
    const isThere = known !== null && (refused.nar === null || !this.#isWanted(known));
    if (isThere && hasFindings(this.#directory, id)) return { id, kept: known.row.kept, refusal: null };
    // what was found is written again where that was purged, but no NAR
    using staged = await Staged.write(
      state,
      id,
      refused,
      async () => (isThere ? null : await this.#room(id)),
      digest,
    );
    return await asSingle(quarantineLock(state), async () => {
      let dropped: readonly Removal[] = [];
      try {
        dropped = await this.#makeRoom(id, staged);
        await staged.place(id);
      } catch (error) {
        staged.dropNar(stateNotWritten(staged.path, error));
        dropped = [];
      }
      const { kept, refusal } = staged;
      const event = quarantinedEvent(id, refused, blocking, kept, refusal?.message ?? null);
      // another process may have kept the same meanwhile
      await this.#log.sync();
      const recorded = this.#known(id, blocking);
      const isNew = recorded === null || (kept !== null && recorded.row.kept === null);
      await this.#log.append(...dropped.map((removal) => removal.event), ...(isNew ? [event] : []));
      this.#remove(dropped);
      return { id, kept, refusal };
    });
  }

  /**
   * Takes kept NARs away; that they were there stays in the trail.
   * @param whole what was found in them, too, also where no NAR is kept
   * @returns what was taken away
   * @throws NarScanError as {@link AuditLog.append}, and STATE_LOCKED, STATE_NOT_WRITTEN
   */
  async purge(
    outputs: readonly QuarantinedRecord[],
    because: string,
    whole = false,
  ): Promise<readonly AuditRecord[]> {
    return await asSingle(quarantineLock(this.#log.directory), async () => {
      const purged = outputs.flatMap((output) => this.#removalOf(output, because, whole));
      const records = await this.#log.append(...purged.map(({ event }) => event));
      this.#remove(purged);
      return records;
    });
  }

  /** The record of this output for just these findings and gaps. */
  #known(id: string, blocking: readonly string[]): { row: OutputRow; record: QuarantinedRecord } | null {
    const { trail } = this.#log;
    const [row] = trail.ask((index) => index.outputsNamed(id));
    if (row === undefined) return null;
    const [record] = trail.recordsAt([row.offset]);
    if (record?.event !== 'quarantined' || record.blocking.join() !== blocking.join()) return null;
    return { row, record };
  }

  /** Whether its NAR is to be kept and is not, other than because it was purged. */
  #isWanted({ row, record }: { row: OutputRow; record: QuarantinedRecord }): boolean {
    if (!this.#settings.keep || record.narHash === null) return false;
    return record.kept === null || (row.kept !== null && keptBytes(this.#directory, row.id) === null);
  }

  /** Bytes that a NAR may have; null where none is to be kept. */
  async #room(id: string): Promise<number | null> {
    const { keep, bytes, full } = this.#settings;
    if (!keep) return null;
    return full === 'refuse' ? Math.max(0, bytes - (await this.#sizes.used(id))) : bytes;
  }

  /** What is to go so that a new NAR may come; where that is not to be, the new one goes. */
  async #makeRoom(id: string, staged: Staged): Promise<readonly Removal[]> {
    if (staged.kept === null) return [];
    const { bytes, full } = this.#settings;
    let over = (await this.#sizes.used(id)) + bytesIn(staged.path) - bytes;
    if (over > 0 && full === 'drop-oldest') {
      // first the oldest NARs, then what was found in the oldest
      const removals = new Map<string, Removal>();
      for (const whole of [false, true]) {
        for (const output of this.#log.outputs(0)) {
          if (output.id === id) continue;
          const [removal] = this.#removalOf(output, 'there was no room for a newer one', whole);
          if (removal === undefined) continue;
          over -= removal.event.bytes - (removals.get(output.id)?.event.bytes ?? 0);
          removals.set(output.id, removal);
          if (over <= 0) return [...removals.values()];
        }
      }
    }
    if (over <= 0) return [];
    staged.dropNar(new NarScanError('QUARANTINE_FULL', `there is no room for ${staged.kept} bytes`));
    return [];
  }

  #removalOf({ id, storePath }: QuarantinedRecord, because: string, whole: boolean): readonly Removal[] {
    const bytes = whole ? bytesIn(join(this.#directory, id)) || null : keptBytes(this.#directory, id);
    return bytes === null ? [] : [{ event: { event: 'purged', id, storePath, bytes, because }, whole }];
  }

  #remove(removals: readonly Removal[]): void {
    try {
      for (const { event, whole } of removals) {
        const directory = join(this.#directory, event.id);
        rmSync(whole ? directory : join(directory, NAR_FILE), { recursive: whole, force: true });
      }
    } catch (error) {
      throw stateNotWritten(this.#directory, error);
    }
  }
}
