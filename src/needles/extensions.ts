import type { NeedleMeaning } from './compile.ts';

/** A longer literal that is looked for wherever its needle occurs: its bytes start `before` bytes earlier. */
export interface Extension {
  readonly before: number;
  readonly bytes: Uint8Array;
  readonly meaning: NeedleMeaning;
}

/** More than these are looked up by what stands behind the needle. */
const FEW = 16;

/**
 * The extensions of one needle. A machine may have tens of thousands of homes under `/home/`: those
 * that may stand at a place are then found by the text behind the needle there.
 */
export class Extensions {
  readonly all: readonly Extension[];
  readonly #needleBytes: number;
  /** By how many bytes they have behind the needle, and by these bytes. */
  readonly #byRest = new Map<number, Map<string, Extension[]>>();

  constructor(needleBytes: number, all: readonly Extension[]) {
    this.all = all;
    this.#needleBytes = needleBytes;
    if (all.length <= FEW) return;
    for (const extension of all) {
      const from = extension.before + needleBytes;
      const rest = textOf(extension.bytes, from, extension.bytes.length);
      let ofLength = this.#byRest.get(rest.length);
      if (ofLength === undefined) this.#byRest.set(rest.length, (ofLength = new Map()));
      const same = ofLength.get(rest);
      if (same === undefined) ofLength.set(rest, [extension]);
      else same.push(extension);
    }
  }

  /** Those that may stand where the needle begins at `address`, of a content that is known up to `end`. */
  at(memory: Uint8Array, address: number, end: number): readonly Extension[] {
    if (this.all.length <= FEW) return this.all;
    const from = address + this.#needleBytes;
    const found: Extension[] = [];
    for (const [length, ofLength] of this.#byRest) {
      if (from + length > end) continue;
      const extensions = ofLength.get(textOf(memory, from, from + length));
      if (extensions !== undefined) found.push(...extensions);
    }
    return found;
  }
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}
