/** Writes numbers of any width, least significant bit first, and LLVM's bitstream out of them. */
export class BitWriter {
  readonly #bits: number[] = [];

  get length(): number {
    return this.#bits.length;
  }

  fixed(width: number, value: number): this {
    for (let k = 0; k < width; k += 1) this.#bits.push(Math.floor(value / 2 ** k) % 2);
    return this;
  }

  variable(width: number, value: number): this {
    const more = 2 ** (width - 1);
    let rest = value;
    for (; rest >= more; rest = Math.floor(rest / more)) this.fixed(width, more + (rest % more));
    return this.fixed(width, rest);
  }

  align(): this {
    while (this.#bits.length % 32 !== 0) this.#bits.push(0);
    return this;
  }

  /** A block of this number of abbreviation bits, with what `body` writes into it. */
  block(outerWidth: number, id: number, width: number, body: (bits: BitWriter) => void): this {
    this.fixed(outerWidth, 1).variable(8, id).variable(4, width).align();
    const inner = new BitWriter();
    body(inner);
    inner.fixed(width, 0).align();
    this.fixed(32, inner.length / 32);
    for (const bit of inner.#bits) this.#bits.push(bit);
    return this;
  }

  /** A record without an abbreviation. */
  record(width: number, code: number, values: readonly number[]): this {
    this.fixed(width, 3).variable(6, code).variable(6, values.length);
    for (const value of values) this.variable(6, value);
    return this;
  }

  /** The definition of an abbreviation: a literal code, then an array of elements of one encoding. */
  arrayAbbreviation(width: number, code: number, encoding: number, elementWidth: number): this {
    this.fixed(width, 2).variable(5, 3).fixed(1, 1).variable(8, code).fixed(1, 0).fixed(3, 3).fixed(1, 0);
    this.fixed(3, encoding);
    return encoding === 4 ? this : this.variable(5, elementWidth);
  }

  get bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    for (const [k, bit] of this.#bits.entries()) bytes[k >> 3] = (bytes[k >> 3] ?? 0) | (bit << (k & 7));
    return bytes;
  }
}
