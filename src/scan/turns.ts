import type { Turns } from '../inspect/turns.ts';
import { clock } from '../model/clock.ts';

/** How long what else waits in this thread may wait: signals, what other threads say, a line of progress. */
const TURN_MS = 15;

/** Lets everything else that waits in the main thread have its turn while that thread scans. */
export class MainTurns implements Turns {
  #last = clock();

  /** Whether others have waited long enough. */
  get due(): boolean {
    return clock() - this.#last > TURN_MS;
  }

  /** Resolves when what waited was dealt with. */
  async pass(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#last = clock();
  }
}
