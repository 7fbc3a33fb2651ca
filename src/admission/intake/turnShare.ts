import { LIMITS } from '../../model/limits.ts';

/** Uploads that are let go on in one turn. */
const UPLOADS_A_TURN = Math.max(1, Math.floor(LIMITS.uploadTurnBytes / LIMITS.uploadWriteBytes));

/**
 * How much of a turn of the event loop large uploads take together. Everything else, a small upload too, takes several
 * turns; where each of them took a piece of every large upload, all would be as slow as if they came after those.
 */
export class TurnShare {
  #left = LIMITS.uploadTurnBytes;
  #isSet = false;
  readonly #waiting: (() => void)[] = [];

  /** Counts bytes that came in this turn. @returns whether there may be more */
  take(bytes: number): boolean {
    this.#left -= bytes;
    this.#set();
    return this.#left > 0;
  }

  /** Calls back in a later turn; who comes first is called first. */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn);
    this.#set();
  }

  #set(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#isSet = false;
    this.#left = LIMITS.uploadTurnBytes;
    for (const goOn of this.#waiting.splice(0, UPLOADS_A_TURN)) goOn();
    if (this.#waiting.length > 0) this.#set();
  }
}
