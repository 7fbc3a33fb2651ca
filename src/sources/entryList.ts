import type { ByteString } from '../model/bytes.ts';

const FIRST_BYTES = 256;
const NUL = 0;

/**
 * Entries of which the same is to be said, as bytes one behind another: tens of thousands of strings, each a part of
 * a path, would keep the collector busier than the search. No file name holds a NUL, which stands between them.
 */
export class EntryList {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #used = 0;

  add(entry: ByteString): void {
    const needed = this.#used + entry.length + 1;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * needed);
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    this.#used += this.#bytes.write(entry, this.#used, 'latin1');
    this.#bytes[this.#used++] = NUL;
  }

  /** In ascending order of their bytes. */
  get sorted(): ByteString[] {
    if (this.#used === 0) return [];
    return this.#bytes
      .toString('latin1', 0, this.#used - 1)
      .split('\0')
      .sort();
  }
}
