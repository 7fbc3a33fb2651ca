import { NarScanError } from '../model/errors.ts';
import type { OutputResult } from '../model/report.ts';
import type { Decisions } from '../quarantine/decision.ts';

/** How old what is known of decisions may be, in seconds. */
const REFRESH_SECONDS = 1;

/** Says of clean outputs whether a person denied them; decisions are read when the first one asks. */
export class Denials implements AsyncDisposable {
  readonly #environment: NodeJS.ProcessEnv;
  #decisions: Promise<(Decisions & Disposable) | null> | null = null;
  #refreshed = 0;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /**
   * Refuses an output that was denied by its store path or by its content.
   * @throws NarScanError PATH_DENIED; STATE_*, AUDIT_* where nobody knows what was decided
   */
  async refuse({ storePath, narHash, target }: OutputResult): Promise<void> {
    if (storePath === null && narHash === null) return;
    const decisions = await (this.#decisions ??= this.#open());
    if (decisions === null) return;
    // no clock that somebody sets
    if (process.uptime() - this.#refreshed > REFRESH_SECONDS) {
      decisions.refresh();
      this.#refreshed = process.uptime();
    }
    const denial = decisions.denial(storePath ?? '', narHash);
    if (denial === null) return;
    const { actor, reason, sequence } = denial;
    const message = `'${storePath ?? target}' was denied by ${actor} (record ${sequence}): ${reason}`;
    throw new NarScanError('PATH_DENIED', message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // whoever asked was told why they could not be opened
    const decisions = await this.#decisions?.catch(() => null);
    decisions?.[Symbol.dispose]();
  }

  async #open(): Promise<(Decisions & Disposable) | null> {
    const { openOwnDecisions } = await import('../quarantine/ownDecisions.ts');
    this.#refreshed = process.uptime();
    try {
      // of a ledger that cannot be read those are told who remember in it
      return await openOwnDecisions(this.#environment, () => undefined);
    } catch (error) {
      // where no state can lie nobody has decided anything, and that nothing is remembered was told
      if (error instanceof NarScanError && error.code === 'STATE_UNKNOWN') return null;
      throw error;
    }
  }
}
