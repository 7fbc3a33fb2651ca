import { LIMITS } from '../../model/limits.ts';
import type { ContainerFault } from '../container.ts';
import type { ContentKind } from '../magic.ts';
import { beyondLimit, faultOf } from '../memberBody.ts';

/** Of what {@link Extents} keeps from being read once more. */
export const OVERLAPS = 'not read: what the image holds overlaps too much';

/** Part of an image that is a file, or one of its parts. */
export interface Part {
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/**
 * Which parts of an image were read as files. Several names, of several trees, may lead to one
 * file, which is read once; but it is read again where a name tells that it is of another kind.
 */
export class Extents {
  /** Bytes of the longest file that begins at an offset. */
  readonly #lengths = new Map<number, number>();
  readonly #named = new Set<string>();
  /** Offsets of what was read as a part of a longer file only. */
  readonly #parts = new Set<number>();
  /** Bytes that may still be read: all of the image once, and as much again where files overlap. */
  #spare: number;
  #directories = 0;

  /** @param size of the image in bytes */
  constructor(size: number) {
    this.#spare = 2 * size;
  }

  /**
   * Whether a file is to be read; `spent`: it would be, but for what overlapping files took already.
   *
   * @param parts at least one
   * @param kind what its name tells
   * @throws NarScanError CONTAINER_LIMIT
   */
  claim(parts: readonly Part[], kind: ContentKind | null): 'read' | 'known' | 'spent' {
    const [{ offset, length }] = parts as [Part];
    const named = kind === null ? null : `${offset}:${kind}`;
    const isNew = named !== null && !this.#named.has(named);
    const isAlone = parts.length === 1;
    // parts that are other files' are a file of their own in this order, and each of them is one by itself
    const isRead = isAlone && this.#lengths.get(offset) === length && !this.#parts.has(offset);
    if (isRead && !isNew) return 'known';
    if (named !== null) this.#named.add(named);
    let sum = 0;
    for (const part of parts) {
      if (isAlone) this.#parts.delete(part.offset);
      else if (!this.#lengths.has(part.offset)) this.#parts.add(part.offset);
      this.#lengths.set(part.offset, Math.max(part.length, this.#lengths.get(part.offset) ?? 0));
      sum += part.length;
    }
    this.#check(offset);
    return this.#spend(sum) ? 'read' : 'spent';
  }

  /** Whether a directory may be read. @throws NarScanError CONTAINER_LIMIT */
  enter(offset: number, length: number): boolean {
    this.#directories += 1;
    this.#check(offset);
    return this.#spend(length);
  }

  /** Where the first file at `offset` or behind it begins; Infinity where none does. */
  after(offset: number): number {
    let first = Infinity;
    for (const start of this.#lengths.keys()) {
      if (start >= offset && start < first) first = start;
    }
    return first;
  }

  /** Whether the byte at `offset` is one of a file's. */
  has(offset: number): boolean {
    for (const [start, length] of this.#lengths) {
      if (start <= offset && offset < start + length) return true;
    }
    return false;
  }

  /** Offset behind the last file. */
  get end(): number {
    let end = 0;
    for (const [start, length] of this.#lengths) end = Math.max(end, start + length);
    return end;
  }

  /** The first place at which a file begins within another one, or null. */
  overlap(): ContainerFault | null {
    let end = 0;
    for (const [start, length] of [...this.#lengths].sort((a, b) => a[0] - b[0])) {
      if (start < end) return faultOf('corrupt', start, 'a file begins within another one');
      end = start + length;
    }
    return null;
  }

  #spend(length: number): boolean {
    if (length > this.#spare) return false;
    this.#spare -= length;
    return true;
  }

  #check(offset: number): void {
    if (this.#lengths.size + this.#named.size + this.#directories <= LIMITS.isoExtents) return;
    throw beyondLimit('ISO 9660', offset, `more than ${LIMITS.isoExtents} files and directories`);
  }
}
