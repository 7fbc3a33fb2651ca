/** Reads bits, highest first, from bytes that lie in one piece. Behind their end it reads zeros. */
export class BitReader {
  /** More was read than there is. */
  overrun = false;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #hold = 0;
  #held = 0;

  /** @param skipped bits of the first byte that were read before */
  constructor(bytes: Uint8Array, start: number, end: number, skipped: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    if (skipped > 0) this.read(skipped);
  }

  /** The next `count` bits, at most 24, without going on. */
  peek(count: number): number {
    while (this.#held < count) {
      const byte = this.#at < this.#end ? this.#bytes[this.#at]! : 0;
      this.#at += 1;
      this.#hold = (this.#hold << 8) | byte;
      this.#held += 8;
    }
    return (this.#hold >>> (this.#held - count)) & ((1 << count) - 1);
  }

  skip(count: number): void {
    this.#held -= count;
    if (this.#at - (this.#held >> 3) > this.#end) this.overrun = true;
  }

  read(count: number): number {
    const value = this.peek(count);
    this.skip(count);
    return value;
  }

  /** Index of the byte that holds the next bit. */
  get byteIndex(): number {
    return this.#at - ((this.#held + 7) >> 3);
  }

  /** How many bits of that byte were read. */
  get bitIndex(): number {
    return (8 - (this.#held & 7)) & 7;
  }
}
