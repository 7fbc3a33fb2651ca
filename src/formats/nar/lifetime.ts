/** Whether a push parser may still be used: not after its first error, and not after its end. */
export class Lifetime {
  readonly #what: string;
  #failure: { readonly error: unknown } | null = null;
  #ended = false;

  /** @param what name of the parser, for the message to who misuses it */
  constructor(what: string) {
    this.#what = what;
  }

  /** @throws Error if the parser is used up; RangeError if chunk has no such slice */
  checkPush(chunk: Uint8Array, start: number, end: number): void {
    this.#check();
    if (start < 0 || end < start || end > chunk.length) throw new RangeError(`no slice [${start}, ${end})`);
  }

  /** Marks the end of input. @throws Error if the parser is used up */
  end(): void {
    this.#check();
    this.#ended = true;
  }

  fail(error: unknown): never {
    this.#failure = { error };
    throw error;
  }

  #check(): void {
    if (this.#failure) throw new Error(`${this.#what} used after an error`, { cause: this.#failure.error });
    if (this.#ended) throw new Error(`${this.#what} used after end()`);
  }
}
