/** Delivers numbered items in ascending order, one at a time, however they arrive. */
export class InOrder<T> {
  readonly #deliver: (item: T) => Promise<void>;
  readonly #waiting = new Map<number, T>();
  #next = 0;
  #delivering: Promise<void> = Promise.resolve();

  constructor(deliver: (item: T) => Promise<void>) {
    this.#deliver = deliver;
  }

  put(index: number, item: T): void {
    this.#waiting.set(index, item);
    for (;;) {
      const next = this.#waiting.get(this.#next);
      if (next === undefined) return;
      this.#waiting.delete(this.#next++);
      this.#delivering = this.#after(this.#delivering, next);
      // `settled` tells; until then nobody may be listening
      this.#delivering.catch(() => undefined);
    }
  }

  async #after(earlier: Promise<void>, item: T): Promise<void> {
    await earlier;
    await this.#deliver(item);
  }

  /** Resolves when all items so far are delivered; rejects when one could not be. */
  settled(): Promise<void> {
    return this.#delivering;
  }
}
