/** Lets one act at a time happen under each of many names. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Waits for all that came before under this name. @throws what `act` throws */
  async take<T>(name: string, act: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const own = (async () => {
      await before?.catch(() => undefined);
      return await act();
    })();
    this.#last.set(name, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(name) === own) this.#last.delete(name);
    }
  }
}
