import type { BitReader } from './bzip2Bits.ts';

const MAX_BITS = 20;
/** Codes of up to so many bits are found by one look-up; nearly all are. */
const FAST_BITS = 10;

/** A canonical Huffman code of up to 258 symbols with codes of 1 to 20 bits. */
export class HuffmanCode {
  /** Symbol and length (symbol * 32 + length) by the next ten bits; 0 for a longer code. */
  readonly #fast = new Uint16Array(2 ** FAST_BITS);
  /** By length: one more than its largest code, and what to take off for an index of `#symbols`. */
  readonly #limit = new Int32Array(MAX_BITS + 1);
  readonly #shift = new Int32Array(MAX_BITS + 1);
  readonly #symbols = new Uint16Array(258);

  /** @param lengths by symbol */
  constructor(lengths: Uint8Array, count: number) {
    let code = 0;
    let index = 0;
    for (let length = 1; length <= MAX_BITS; length += 1) {
      this.#shift[length] = code - index;
      for (let symbol = 0; symbol < count; symbol += 1) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[index] = symbol;
        index += 1;
        if (length <= FAST_BITS) {
          const first = code << (FAST_BITS - length);
          // Lengths that give more codes than fit are damage; what lies behind the table is lost.
          this.#fast.fill(symbol * 32 + length, first, first + (1 << (FAST_BITS - length)));
        }
        code += 1;
      }
      this.#limit[length] = code;
      code *= 2;
    }
  }

  /** The next symbol, or -1 where no code matches. */
  next(bits: BitReader): number {
    const entry = this.#fast[bits.peek(FAST_BITS)]!;
    if (entry !== 0) {
      bits.skip(entry & 31);
      return entry >> 5;
    }
    for (let length = FAST_BITS + 1; length <= MAX_BITS; length += 1) {
      const code = bits.peek(length);
      if (code >= this.#limit[length]!) continue;
      bits.skip(length);
      return this.#symbols[code - this.#shift[length]!] ?? -1;
    }
    return -1;
  }
}
