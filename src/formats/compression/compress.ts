import { fault, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { MAGIC, matchMagic } from './magic.ts';

const CLEAR = 256;
const FIRST_BITS = 9;
const FIRST_TOP = 2 ** FIRST_BITS - 1;
const OUTPUT_BYTES = 256 * 1024;
/** No code stands for more bytes than there are codes. */
const CODES = 65_536;

/**
 * Decodes a .Z file as compress(1) writes it (LZW with 9 to 16 bits, codes in groups of eight).
 * The format has neither length, end mark nor checksum: a file that was cut between two codes
 * cannot be told from a whole one, by no program. A cut within a code is seen where the bits that
 * are left over are not the padding that a writer leaves.
 */
export async function* decodeCompress(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  const magic = await matchMagic(input, MAGIC.compress);
  if (magic === 'other') throw fault('CORRUPT', 'compress', 0, 'does not begin as the format does');
  if (!(await input.fill(3))) throw truncated('compress', input.offset + input.available);
  const settings = input.bytes[input.start + 2] ?? 0;
  const maxBits = settings & 0x1f;
  // What `compress -b 9` writes is ambiguous: gzip and uncompress call it corrupt.
  if (maxBits <= FIRST_BITS || maxBits > 16 || (settings & 0x60) !== 0) {
    throw fault('UNSUPPORTED', 'compress', 2, 'has an unknown flag or code width');
  }
  input.start += 3;
  const table = new LzwTable(maxBits, (settings & 0x80) !== 0);
  for (;;) {
    const whole = input.available >= table.bits || (await input.fill(table.bits));
    if (!whole && input.available === 0) break;
    const outcome = table.decodeGroup(input.bytes, input.start, Math.min(input.available, table.bits));
    if (table.filled > OUTPUT_BYTES || outcome !== 'more') yield* table.takeOutput();
    if (outcome === 'corrupt') throw fault('CORRUPT', 'compress', input.offset, 'code is not in the table');
    if (outcome === 'torn') throw truncated('compress', input.offset + input.available);
    input.start += table.consumed;
  }
  yield* table.takeOutput();
}

/** The dictionary of one stream and what it has decoded. */
class LzwTable {
  /** Width of the next code, which is also the bytes of a group of eight. */
  bits = FIRST_BITS;
  /** Bytes that the last group took from the input. */
  consumed = 0;
  filled = 0;
  readonly #prefix = new Uint16Array(CODES);
  readonly #suffix = new Uint8Array(CODES);
  readonly #stack = new Uint8Array(CODES + 1);
  // Room for a group of eight codes behind what makes the buffer be given out.
  readonly #output = new Uint8Array(OUTPUT_BYTES + 8 * (CODES + 1));
  readonly #maxBits: number;
  readonly #clears: boolean;
  #free: number;
  /** The width grows when the next free code is above this. */
  #top = FIRST_TOP;
  #previous = -1;
  #firstByte = 0;

  constructor(maxBits: number, clears: boolean) {
    this.#maxBits = maxBits;
    this.#clears = clears;
    this.#free = clears ? CLEAR + 1 : CLEAR;
    for (let code = 0; code < 256; code += 1) this.#suffix[code] = code;
  }

  *takeOutput(): Generator<Uint8Array, void, undefined> {
    const output = this.#output.subarray(0, this.filled);
    this.filled = 0;
    if (output.length > 0) yield output;
  }

  /**
   * Decodes one group of at most `length` bytes. A change of the code width or a clear code skips
   * the rest of its group. `torn`: what is left over is no code and no padding.
   */
  decodeGroup(bytes: Uint8Array, at: number, length: number): 'more' | 'corrupt' | 'torn' {
    const { bits } = this;
    this.consumed = length;
    let hold = 0;
    let held = 0;
    for (let read = 0; ;) {
      if (this.#free > this.#top) {
        if (read === 0) this.consumed = 0;
        this.bits += 1;
        this.#top = this.bits === this.#maxBits ? 2 ** this.bits : 2 ** this.bits - 1;
        return 'more';
      }
      while (held < bits && read < length) {
        hold |= bytes[at + read]! << held;
        held += 8;
        read += 1;
      }
      if (held < bits) return held >= 8 || hold !== 0 ? 'torn' : 'more';
      const code = hold & (2 ** bits - 1);
      hold >>>= bits;
      held -= bits;
      if (code === CLEAR && this.#clears && this.#previous !== -1) {
        this.#free = CLEAR;
        this.bits = FIRST_BITS;
        this.#top = FIRST_TOP;
        return 'more';
      }
      if (!this.#expand(code)) return 'corrupt';
    }
  }

  #expand(code: number): boolean {
    const output = this.#output;
    if (this.#previous === -1) {
      if (code >= 256) return false;
      this.#previous = code;
      this.#firstByte = code;
      output[this.filled++] = code;
      return true;
    }
    const stack = this.#stack;
    let depth = 0;
    let walk = code;
    if (code >= this.#free) {
      if (code > this.#free) return false;
      stack[depth++] = this.#firstByte;
      walk = this.#previous;
    }
    while (walk >= 256) {
      stack[depth++] = this.#suffix[walk]!;
      walk = this.#prefix[walk]!;
    }
    this.#firstByte = walk;
    output[this.filled++] = walk;
    while (depth > 0) output[this.filled++] = stack[--depth]!;
    if (this.#free < 2 ** this.#maxBits) {
      this.#prefix[this.#free] = this.#previous;
      this.#suffix[this.#free] = this.#firstByte;
      this.#free += 1;
    }
    this.#previous = code;
    return true;
  }
}
