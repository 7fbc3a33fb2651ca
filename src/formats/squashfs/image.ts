import { LIMITS } from '../../model/limits.ts';
import { NarScanError } from '../../model/errors.ts';
import { beyondLimit, corrupt } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { Extents } from './extents.ts';
import type { Superblock } from './superblock.ts';
import { unpack } from './unpack.ts';
import type { Unpacked } from './unpack.ts';

/** The bytes of a squashfs image: its blocks, packed or not, and which of them something claims. */
export class Image {
  readonly superblock: Superblock;
  /** Bytes of the image that tables or inodes name. */
  readonly claimed = new Extents();
  readonly #reader: RangeReader;
  /** Bytes that may yet be decoded a second time. */
  #again: number = LIMITS.squashfsAgainBytes;

  constructor(reader: RangeReader, superblock: Superblock) {
    this.#reader = reader;
    this.superblock = superblock;
  }

  /** Bytes of it that are there. */
  get size(): number {
    return Math.min(this.superblock.bytes, this.#reader.size);
  }

  /**
   * The bytes [offset, offset + length), valid until the next call.
   * @param what names them in the error
   * @throws NarScanError CONTAINER_CORRUPT where they lie outside the image, CONTAINER_TRUNCATED, CONTAINER_UNREADABLE
   */
  at(offset: number, length: number, what: string): Uint8Array {
    const end = offset + length;
    if (offset > this.superblock.bytes || end > this.superblock.bytes) {
      throw corrupt('squashfs', this.superblock.bytes, `${what} outside the image`);
    }
    if (end > this.#reader.size) {
      throw new NarScanError('CONTAINER_TRUNCATED', `squashfs archive: ${what} behind its end`, { offset });
    }
    const bytes = this.#reader.read(offset, length);
    if (bytes === null) {
      throw new NarScanError('CONTAINER_UNREADABLE', `no bytes at offset ${offset}`, { offset });
    }
    return bytes;
  }

  /**
   * What one block holds.
   *
   * @param most bytes that it may hold
   * @param kept whether the bytes have to outlive the next call
   * @throws NarScanError as {@link at}; what is wrong with the block itself is told beside its bytes
   */
  async block(
    offset: number,
    { length, packed }: { readonly length: number; readonly packed: boolean },
    most: number,
    kept: boolean,
  ): Promise<Unpacked> {
    if (length > most) throw corrupt('squashfs', offset, `a block of ${length} bytes, more than ${most}`);
    const bytes = this.at(offset, length, 'a block');
    if (packed) return await unpack(this.superblock.compression, bytes, most);
    return { bytes: kept ? Buffer.from(bytes) : bytes, error: null };
  }

  /**
   * Something was decoded before, and is decoded again.
   * @throws NarScanError CONTAINER_LIMIT
   */
  repeats(bytes: number, offset: number): void {
    this.#again -= bytes;
    if (this.#again < 0) {
      const detail = `more than ${LIMITS.squashfsAgainBytes} bytes are to be decoded again`;
      throw beyondLimit('squashfs', offset, detail);
    }
  }
}
