import { TAIL_BYTES } from '../../formats/magic.ts';
import type { RangeReader } from '../../formats/ranges.ts';
import type { ContentInspector } from '../contentInspector.ts';
import type { ContentFacts } from '../local.ts';
import type { Spool, Spools } from './spool.ts';

/**
 * Keeps of a content that passes once what may have to be read again: all of it, or from the first
 * magic on that its search meets. Its last bytes are always at hand, for they may say what it is.
 */
export class KeptBytes {
  readonly #spools: Spools;
  readonly #inspector: ContentInspector;
  readonly #keepAll: boolean;
  #spool: Spool | null = null;
  /** Offset of the first byte that is kept; Infinity where none is. */
  from = Infinity;
  /** Offset before which nothing has to be kept, where only zeros came since it was told; or -1. */
  #behind = -1;
  readonly #tail = Buffer.allocUnsafe(TAIL_BYTES);
  #tailBytes = 0;

  /** @param keepAll keep everything from the first byte on */
  constructor(spools: Spools, inspector: ContentInspector, keepAll: boolean) {
    this.#spools = spools;
    this.#inspector = inspector;
    this.#keepAll = keepAll;
  }

  /** The content's next bytes, memory[start, end), have just been searched as far as that is done at once. */
  take(memory: Uint8Array, start: number, end: number): void {
    this.#takeTail(memory, start, end);
    if (this.#spool !== null) {
      this.#spool.add(memory.subarray(start, end));
      return;
    }
    const { firstMagic } = this.#inspector;
    if (this.#keepAll) this.#begin(0, memory, end);
    // a magic may stand in what the last chunk left, right before this one
    else if (firstMagic >= 0) this.#begin(firstMagic, memory, end);
    else if (this.#behind >= 0) this.behind(this.#behind, memory, end);
  }

  /** From the first byte on that is not zero, at `offset` or behind it, the content is kept. It is at hand up to `end`. */
  behind(offset: number, memory: Uint8Array, end: number): void {
    if (this.#spool !== null) return;
    const from = this.#inspector.addressOf(offset);
    const zeros = memory.subarray(from, end).findIndex((byte) => byte !== 0);
    this.#behind = zeros < 0 ? offset + end - from : offset + zeros;
    if (zeros >= 0) this.#begin(this.#behind, memory, end);
  }

  #takeTail(memory: Uint8Array, start: number, end: number): void {
    const from = Math.max(start, end - TAIL_BYTES);
    const stays = Math.min(this.#tailBytes, TAIL_BYTES - (end - from));
    this.#tail.copyWithin(0, this.#tailBytes - stays, this.#tailBytes);
    this.#tail.set(memory.subarray(from, end), stays);
    this.#tailBytes = stays + end - from;
  }

  #begin(from: number, memory: Uint8Array, end: number): void {
    this.from = from;
    this.#spool = this.#spools.open();
    this.#spool.add(memory.subarray(this.#inspector.addressOf(from), end));
  }

  /** Whether all that was to be kept is there. */
  get complete(): boolean {
    return this.#spool === null || this.#spool.complete;
  }

  /**
   * The content of `size` bytes, of which only what was kept can be read. No magic stands before
   * that: whoever looks for one there is given zeros.
   */
  reader(size: number): RangeReader {
    const kept = this.#spool?.reader(this.from, size);
    const tailFrom = size - this.#tailBytes;
    return {
      size,
      read: (offset, length) => {
        if (length < 0 || offset + length > size) return null;
        if (offset >= tailFrom) {
          return this.#tail.subarray(offset - tailFrom, offset - tailFrom + length);
        }
        if (kept === undefined) return null;
        const missing = Math.min(length, this.from - offset);
        if (missing <= 0) return kept.read(offset, length);
        const rest = missing < length ? kept.read(this.from, length - missing) : null;
        if (missing < length && rest === null) return null;
        const bytes = Buffer.alloc(length);
        if (rest !== null) bytes.set(rest, missing);
        return bytes;
      },
    };
  }

  close(): void {
    this.#spool?.close();
    this.#spool = null;
  }
}

/**
 * The facts of a content of which nothing before `keptFrom` was kept: an archive of PyInstaller, that
 * only its last bytes tell of, may begin before that, and is a gap then. A zip archive's first member
 * has a magic of its own.
 */
export function openable(facts: ContentFacts, keptFrom: number): ContentFacts {
  const { opening, gaps } = facts;
  if (opening?.tail !== 'pyinstaller' || keptFrom === 0) return facts;
  const detail =
    'the pyinstaller container that only its last bytes tell of was not opened: too much would have to be kept';
  return {
    ...facts,
    gaps: [...gaps, { reason: 'limit-memory', offset: null, detail }],
    opening: { ...opening, tail: null },
  };
}
