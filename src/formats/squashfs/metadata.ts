import { LIMITS } from '../../model/limits.ts';
import { NarScanError } from '../../model/errors.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { beyondLimit, corrupt } from '../memberBody.ts';
import type { Image } from './image.ts';
import type { Unpacked } from './unpack.ts';

/** Bytes of a whole block of a table, before it is packed. */
export const METADATA_BYTES = 8192;

/** In the two bytes before a block: it is not packed. */
const STORED = 0x8000;
const HEADER_BYTES = 2;

/** Decoded blocks that one table keeps. */
const KEPT_BLOCKS = 1024;

/**
 * A table of an image: blocks one after another, each packed for itself and with its length before
 * it. Places in it are addresses: number of the block times 8 KiB, plus the byte in it.
 */
export class MetadataTable {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** What ends the table before its time, or null: blocks before that can be read. */
  readonly fault: NarScanError | null;
  readonly #image: Image;
  #starts = new Float64Array(16);
  #count = 0;
  readonly #kept = new Map<number, Unpacked>();
  readonly #seen: Uint8Array;
  /** Bytes that may yet be read of lists whose length their own inode says. */
  #spare: number;

  /** Finds the blocks of the table that fills the bytes [start, end) of an image. */
  constructor(image: Image, name: string, start: number, end: number) {
    this.#image = image;
    this.name = name;
    this.start = start;
    this.end = end;
    let fault: NarScanError | null = null;
    try {
      this.#findBlocks();
    } catch (error) {
      if (!(error instanceof NarScanError)) throw error;
      fault = error;
    }
    this.fault = fault;
    this.#seen = new Uint8Array(Math.ceil(this.#count / 8));
    this.#spare = 4 * this.most;
  }

  #findBlocks(): void {
    for (let at = this.start; at < this.end;) {
      if (this.#count === LIMITS.squashfsTableBlocks) {
        throw beyondLimit('squashfs', at, `more than ${this.#count} blocks in the ${this.name} table`);
      }
      const { length } = this.#headerAt(at);
      const next = at + HEADER_BYTES + length;
      if (length === 0 || length > METADATA_BYTES || next > this.end) {
        throw corrupt('squashfs', at, `no block of the ${this.name} table begins here`);
      }
      if (this.#count === this.#starts.length) {
        const longer = new Float64Array(2 * this.#count);
        longer.set(this.#starts);
        this.#starts = longer;
      }
      this.#starts[this.#count] = at;
      this.#count += 1;
      this.#image.claimed.add(at, next);
      at = next;
    }
  }

  #headerAt(at: number): { readonly length: number; readonly packed: boolean } {
    const word = LITTLE_ENDIAN.u16(this.#image.at(at, HEADER_BYTES, `a block of the ${this.name} table`), 0);
    return { length: word & ~STORED, packed: (word & STORED) === 0 };
  }

  get blocks(): number {
    return this.#count;
  }

  /** Bytes that it holds at most. */
  get most(): number {
    return this.#count * METADATA_BYTES;
  }

  /**
   * A list of so many bytes is to be read. Each belongs to one inode and is read twice; where those of
   * many inodes are one, nobody would ever come to the end of them.
   *
   * @throws NarScanError CONTAINER_CORRUPT
   */
  lends(bytes: number): void {
    this.#spare -= bytes;
    if (!(this.#spare >= 0))
      throw corrupt('squashfs', this.start, `the ${this.name} table is too short for what its inodes list`);
  }

  /** Offset in the image of a block. */
  startOf(block: number): number {
    return this.#starts[block] ?? this.end;
  }

  /**
   * The number of the block that begins so many bytes behind the table's start.
   * @throws NarScanError CONTAINER_CORRUPT where none does
   */
  blockAt(distance: number): number {
    const wanted = this.start + distance;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    if (low === this.#count || this.#starts[low] !== wanted) {
      throw corrupt('squashfs', wanted, `no block of the ${this.name} table begins here`);
    }
    return low;
  }

  /** A cursor at a reference: the distance of the block in all but the lowest 16 bits, the byte in those. */
  cursorAt(reference: number): MetadataCursor {
    return this.cursorIn(this.blockAt(Math.floor(reference / 0x1_0000)), reference % 0x1_0000);
  }

  cursorIn(block: number, offset: number): MetadataCursor {
    return new MetadataCursor(this, block, offset);
  }

  /**
   * What a block holds; a few are kept.
   * @throws NarScanError as `Image.block`
   */
  async block(block: number): Promise<Unpacked> {
    const kept = this.#kept.get(block);
    if (kept !== undefined) {
      this.#kept.delete(block);
      this.#kept.set(block, kept);
      return kept;
    }
    const start = this.startOf(block);
    const mask = 1 << (block & 7);
    if ((this.#seen[block >>> 3]! & mask) !== 0) this.#image.repeats(METADATA_BYTES, start);
    this.#seen[block >>> 3]! |= mask;
    const read = await this.#image.block(start + HEADER_BYTES, this.#headerAt(start), METADATA_BYTES, true);
    if (this.#kept.size >= KEPT_BLOCKS) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(block, read);
    return read;
  }

  /** All blocks in order. @throws NarScanError for the first damaged one, after all others were given */
  async *contents(): AsyncGenerator<Uint8Array, void, undefined> {
    let failure: NarScanError | null = null;
    for (let block = 0; block < this.#count; block += 1) {
      const { bytes, error } = await this.block(block);
      failure ??= error;
      if (bytes.length > 0) yield bytes;
    }
    if (failure !== null) throw failure;
  }
}

/** A place in a table that is read on from. */
export class MetadataCursor {
  readonly #table: MetadataTable;
  #block: number;
  #offset: number;
  /** The present block, once it was read. */
  #bytes: Uint8Array | null = null;

  constructor(table: MetadataTable, block: number, offset: number) {
    this.#table = table;
    this.#block = block;
    this.#offset = offset;
  }

  /** Where it stands. */
  get address(): number {
    return this.#block * METADATA_BYTES + this.#offset;
  }

  copy(): MetadataCursor {
    return new MetadataCursor(this.#table, this.#block, this.#offset);
  }

  /**
   * The next bytes, valid until the table is read again.
   * @throws NarScanError CONTAINER_* where the table ends before, or a block is damaged
   */
  async take(length: number): Promise<Uint8Array> {
    const near = this.near(length);
    if (near !== null) return near;
    const bytes = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length;) {
      const part = (await this.#load()).subarray(this.#offset, this.#offset + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
    }
    return bytes;
  }

  /** The next bytes where they lie in the block that is being read; else null. Most do, and nothing is waited for. */
  near(length: number): Uint8Array | null {
    const bytes = this.#bytes;
    if (bytes === null || this.#offset + length > bytes.length) return null;
    this.#offset += length;
    return bytes.subarray(this.#offset - length, this.#offset);
  }

  /**
   * Goes on to the next block at the end of one, so that the address is that of the next byte.
   * @returns false: the table ends here
   */
  async settle(): Promise<boolean> {
    if (this.#bytes !== null && this.#offset < this.#bytes.length) return true;
    if (this.#block >= this.#table.blocks) return false;
    const { bytes, error } = await this.#table.block(this.#block);
    if (this.#offset === bytes.length && error === null && this.#block + 1 === this.#table.blocks)
      return false;
    await this.#load();
    return true;
  }

  /** The block in which the next byte lies. */
  async #load(): Promise<Uint8Array> {
    for (;;) {
      const { start, end, name, blocks } = this.#table;
      if (this.#block >= blocks) throw corrupt('squashfs', end, `the ${name} table ends early`);
      const { bytes, error } = await this.#table.block(this.#block);
      if (this.#offset < bytes.length) {
        this.#bytes = bytes;
        return bytes;
      }
      if (error !== null) throw error;
      if (this.#offset > bytes.length) {
        throw corrupt('squashfs', start, `byte ${this.#offset} of a block that has ${bytes.length}`);
      }
      this.#block += 1;
      this.#offset = 0;
    }
  }
}
