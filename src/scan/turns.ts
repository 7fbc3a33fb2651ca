import type { Turns } from '../inspect/turns.ts';
import { clock } from '../model/clock.ts';

/** How long what else waits in this thread may wait: signals, what other threads say, a line of progress. */
const TURN_MS = 15;
/** How long, where another thread does nothing until it is listened to. */
const AWAITED_MS = 0.5;

/** Lets everything else that waits in the main thread have its turn while that thread scans. */
export class MainTurns implements Turns {
  readonly #awaited: () => boolean;
  #last = clock();

  /** @param awaited whether another thread does nothing until it is listened to */
  constructor(awaited: () => boolean) {
    this.#awaited = awaited;
  }

  /** Whether others have waited long enough. */
  get due(): boolean {
    const waited = clock() - this.#last;
    return waited > TURN_MS || (waited > AWAITED_MS && this.#awaited());
  }

  /** Resolves when what waited was dealt with. */
  async pass(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#last = clock();
  }
}
