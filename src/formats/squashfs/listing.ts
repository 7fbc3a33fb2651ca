import type { ByteString } from '../../model/bytes.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { byteStringOf, corrupt } from '../memberBody.ts';
import type { DirectoryInode } from './inode.ts';
import type { MetadataCursor, MetadataTable } from './metadata.ts';

/** The size of a directory counts two entries that are not listed: one byte and two. */
const UNLISTED_BYTES = 3;

/** Entries whose inodes lie in one block follow one header. */
const HEADER_BYTES = 12;
const ENTRY_BYTES = 8;
const MOST_ENTRIES = 256;
const MOST_NAME_BYTES = 256;

/** One name in a directory. */
export interface Entry {
  readonly name: ByteString;
  /** Basic type of the inode. */
  readonly type: number;
  /** Reference to the inode. */
  readonly inode: number;
}

/** The listing of one directory, read entry by entry. */
export class Listing {
  readonly path: ByteString;
  readonly #cursor: MetadataCursor | null;
  readonly #start: number;
  #left: number;
  /** Entries that follow under the present header, and the block that it names. */
  #entries = 0;
  #block = 0;

  /** @throws NarScanError CONTAINER_CORRUPT where no listing can begin there */
  constructor(path: ByteString, { block, offset, bytes }: DirectoryInode, table: MetadataTable) {
    this.path = path;
    this.#start = table.start + block;
    this.#left = Math.max(0, bytes - UNLISTED_BYTES);
    this.#cursor = this.#left === 0 ? null : table.cursorAt(block * 0x1_0000 + offset);
  }

  /** @returns null at its end. @throws NarScanError CONTAINER_* where the rest of it cannot be read */
  async next(): Promise<Entry | null> {
    if (this.#cursor === null || (this.#left === 0 && this.#entries === 0)) return null;
    const { u16, u32 } = LITTLE_ENDIAN;
    if (this.#entries === 0) {
      const head = await this.#take(this.#cursor, HEADER_BYTES);
      this.#entries = u32(head, 0) + 1;
      this.#block = u32(head, 4);
      if (this.#entries > MOST_ENTRIES) throw this.#corrupt(`${this.#entries} entries behind one header`);
    }
    this.#entries -= 1;
    const head = await this.#take(this.#cursor, ENTRY_BYTES);
    const inode = this.#block * 0x1_0000 + u16(head, 0);
    const type = u16(head, 4);
    const length = u16(head, 6) + 1;
    if (length > MOST_NAME_BYTES) throw this.#corrupt(`a name of ${length} bytes`);
    return { name: byteStringOf(await this.#take(this.#cursor, length)), type, inode };
  }

  async #take(cursor: MetadataCursor, length: number): Promise<Uint8Array> {
    if (length > this.#left) throw this.#corrupt('a directory ends in an entry');
    this.#left -= length;
    return cursor.near(length) ?? (await cursor.take(length));
  }

  #corrupt(what: string): Error {
    return corrupt('squashfs', this.#start, what);
  }
}
