import { type ErrorCode, NarScanError } from '../model/errors.ts';
import type { Catalog } from './catalog.ts';
import type { Admission } from './contracts.ts';

/** Faults of what was sent, for the chart. */
const MALFORMED: ReadonlySet<ErrorCode> = new Set([
  'UPLOAD_HASH',
  'UPLOAD_NAME',
  'UPLOAD_COMPRESSION',
  'NARINFO_INVALID',
  'NARINFO_WRONG',
  'NARINFO_UNBOUND',
]);

/** Counts what becomes of uploads. That is only good to know, and changes no answer. */
export class Tally {
  readonly #catalog: Pick<Catalog, 'tell'>;
  readonly #log: { error(error: unknown): void };

  constructor({ catalog, log }: { catalog: Pick<Catalog, 'tell'>; log: { error(error: unknown): void } }) {
    this.#catalog = catalog;
    this.#log = log;
  }

  /** @param began as `performance.now()` tells */
  async tell(outcome: Admission['outcome'], bytes: number, began: number): Promise<void> {
    const milliseconds = Math.round(performance.now() - began);
    try {
      await this.#catalog.tell({ at: Date.now(), outcome, bytes, milliseconds });
    } catch (error) {
      this.#log.error(error);
    }
  }

  /** Where an upload ended by a fault of what was sent. @param bytes that have come */
  async tellFault(error: unknown, bytes: number, began: number): Promise<void> {
    if (error instanceof NarScanError && MALFORMED.has(error.code))
      await this.tell('malformed', bytes, began);
  }
}
