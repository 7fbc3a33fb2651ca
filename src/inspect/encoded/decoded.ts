import type { Encoding } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Span } from '../rules/boundaries.ts';

/** Room for what the context of a hit decodes to: a two-byte unit becomes three bytes of UTF-8 at most. */
const ROOM = 4 * LIMITS.contextBytes;

/**
 * The bytes around a hit as they read once decoded, and for each of them the place in the content
 * where the character it came from begins.
 */
export class Decoded {
  readonly span: Span = { memory: new Uint8Array(ROOM), lo: 0, hi: 0 };
  /** How the bytes are written, where the decoder can tell; escapes tell it one by one. */
  encoding: Encoding | null = null;
  readonly #places = new Int32Array(ROOM + 1);
  #base = 0;

  /** Starts anew; `base` is a content offset before or at every place to come. */
  begin(base: number): void {
    this.#base = base;
    this.span.hi = 0;
    this.encoding = null;
  }

  /** Adds one byte whose character begins at `place`, a content offset; ascending. */
  append(byte: number, place: number): void {
    const { span } = this;
    if (span.hi >= ROOM) return;
    this.#places[span.hi] = place - this.#base;
    span.memory[span.hi++] = byte;
  }

  /** Adds a character as UTF-8. */
  appendCharacter(code: number, place: number): void {
    if (code < 0x80) return this.append(code, place);
    if (code < 0x800) {
      this.append(0xc0 | (code >> 6), place);
    } else {
      if (code < 0x10000) this.append(0xe0 | (code >> 12), place);
      else {
        this.append(0xf0 | (code >> 18), place);
        this.append(0x80 | ((code >> 12) & 63), place);
      }
      this.append(0x80 | ((code >> 6) & 63), place);
    }
    this.append(0x80 | (code & 63), place);
  }

  /** The content offset at which the character of a decoded byte begins. */
  placeOf(index: number): number {
    return this.#base + (this.#places[index] as number);
  }

  /** The index of the first byte that came from `place`, or -1 where no character begins. */
  indexOf(place: number): number {
    const wanted = place - this.#base;
    let low = 0;
    let high = this.span.hi;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low < this.span.hi && this.#places[low] === wanted ? low : -1;
  }
}

/**
 * Decodes what lies around `anchor`, an address in `source` at which a character begins. `origin`
 * is the address of the content's offset 0. The source is bounded; nothing outside it is read.
 */
export type Decoder = (source: Span, anchor: number, origin: number, out: Decoded) => void;
