const EMPTY = new Uint8Array(0);

type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

function iteratorOf(source: Source): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/**
 * A compressed stream as a window that slides over it: the unread bytes are
 * `bytes.subarray(start, end)`, and a decoder reads on by raising `start`.
 *
 * The window is the source's own chunk wherever that is long enough; only what must be seen in
 * one piece across chunks is copied. A source that fails looks like one that ends: the decoder
 * gives out what it has, and whoever drives it then asks {@link failure}.
 */
export class Input {
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  /** What the source threw, boxed since anything can be thrown. */
  failure: { readonly error: unknown } | null = null;
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  /** Position of `bytes[0]` in the stream. */
  #base = 0;
  /** Bytes of the source's chunk that follow the window while that is a copy. */
  #pending: Uint8Array = EMPTY;
  #copy: Uint8Array = EMPTY;
  #done = false;

  constructor(source: Source) {
    this.#iterator = iteratorOf(source);
  }

  /** Position of the next unread byte in the stream. */
  get offset(): number {
    return this.#base + this.start;
  }

  get available(): number {
    return this.end - this.start;
  }

  /** The unread bytes of the window, at most `limit`. */
  peek(limit = Infinity): Uint8Array {
    return this.bytes.subarray(this.start, Math.min(this.end, this.start + limit));
  }

  /** Makes the window hold at least `count` unread bytes. False: the stream ends before that. */
  async fill(count: number): Promise<boolean> {
    while (this.available < count) {
      if (this.#pending.length === 0) {
        // The source may reuse its chunk as soon as the next one is asked for.
        if (this.available > 0 && this.bytes !== this.#copy) this.#moveToCopy(count);
        this.#pending = await this.#pull();
        if (this.#pending.length === 0) return false;
      }
      if (this.available === 0) {
        this.#base += this.end;
        this.bytes = this.#pending;
        this.start = 0;
        this.end = this.#pending.length;
        this.#pending = EMPTY;
        continue;
      }
      if (this.bytes !== this.#copy || this.start + count > this.#copy.length) this.#moveToCopy(count);
      const part = this.#pending.subarray(0, count - this.available);
      this.#copy.set(part, this.end);
      this.end += part.length;
      this.#pending = this.#pending.subarray(part.length);
    }
    return true;
  }

  /** Skips `count` bytes. False: the stream ends before that. */
  async skip(count: number): Promise<boolean> {
    for (let left = count; left > 0;) {
      if (!(await this.fill(1))) return false;
      const step = Math.min(left, this.available);
      this.start += step;
      left -= step;
    }
    return true;
  }

  /** Skips zero bytes; resolves to how many there were. */
  async skipZeros(): Promise<number> {
    const from = this.offset;
    while (await this.fill(1)) {
      while (this.start < this.end && this.bytes[this.start] === 0) this.start += 1;
      if (this.start < this.end) break;
    }
    return this.offset - from;
  }

  /** Lets the source go if it has not ended by itself. */
  async close(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#iterator.return?.();
  }

  #moveToCopy(count: number): void {
    const from = this.bytes;
    // Twice the size, so that a window that slides by a little is seldom moved.
    if (this.#copy.length < count) this.#copy = new Uint8Array(Math.max(2 * count, 4096));
    this.#copy.set(from.subarray(this.start, this.end));
    this.bytes = this.#copy;
    this.#base += this.start;
    this.end -= this.start;
    this.start = 0;
  }

  async #pull(): Promise<Uint8Array> {
    while (!this.#done) {
      try {
        const result = await this.#iterator.next();
        if (result.done === true) this.#done = true;
        else if (result.value.length > 0) return result.value;
      } catch (error) {
        this.#done = true;
        this.failure = { error };
      }
    }
    return EMPTY;
  }
}
