import type { RangeReader } from '../../formats/ranges.ts';
import type { ContentInspector } from '../contentInspector.ts';
import type { Spool, Spools } from './spool.ts';

/**
 * Keeps of a content that passes once what may have to be read again: all of it, or from the first
 * magic on that its search meets.
 */
export class KeptBytes {
  readonly #spools: Spools;
  readonly #inspector: ContentInspector;
  readonly #keepAll: boolean;
  #spool: Spool | null = null;
  /** Offset of the first byte that is kept. */
  #from = 0;

  /** @param keepAll keep everything from the first byte on */
  constructor(spools: Spools, inspector: ContentInspector, keepAll: boolean) {
    this.#spools = spools;
    this.#inspector = inspector;
    this.#keepAll = keepAll;
  }

  /** The content's next bytes, memory[start, end), have just been searched as far as that is done at once. */
  take(memory: Uint8Array, start: number, end: number): void {
    if (this.#spool !== null) {
      this.#spool.add(memory.subarray(start, end));
      return;
    }
    const { firstMagic } = this.#inspector;
    if (!this.#keepAll && firstMagic < 0) return;
    this.#from = this.#keepAll ? 0 : firstMagic;
    this.#spool = this.#spools.open();
    // the magic may stand in what the last chunk left, right before this one
    this.#spool.add(memory.subarray(this.#inspector.addressOf(this.#from), end));
  }

  /** Whether all that was to be kept is there. */
  get complete(): boolean {
    return this.#spool === null || this.#spool.complete;
  }

  /** The content of `size` bytes, of which only what was kept can be read. */
  reader(size: number): RangeReader {
    return this.#spool?.reader(this.#from, size) ?? { size, read: () => null };
  }

  close(): void {
    this.#spool?.close();
    this.#spool = null;
  }
}
