import { setTimeout as pause } from 'node:timers/promises';

/** Work that has begun and goes on although the client who wanted it may be gone. */
export class UnderWay {
  readonly #works = new Set<Promise<unknown>>();

  async track<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  /** Waits for the end of what is under way now, but not longer than that. */
  async ended(milliseconds: number): Promise<void> {
    const timer = new AbortController();
    const isOver = pause(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#works), isOver]);
    timer.abort();
  }
}
