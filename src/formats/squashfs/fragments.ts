import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { ContainerItem } from '../container.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { corrupt, faultOf } from '../memberBody.ts';
import { packedMember } from '../zlib/piece.ts';
import { Extents } from './extents.ts';
import type { Image } from './image.ts';
import { readBlockWord } from './inode.ts';
import { METADATA_BYTES } from './metadata.ts';
import type { MetadataTable } from './metadata.ts';
import type { Unpacked } from './unpack.ts';

const ENTRY_BYTES = 16;
const ENTRIES_A_BLOCK = METADATA_BYTES / ENTRY_BYTES;

/** Where a block of tails lies in the image. */
export interface Fragment {
  readonly start: number;
  readonly length: number;
  readonly packed: boolean;
}

/** The blocks in which the ends of many files lie together. */
export class Fragments {
  readonly #image: Image;
  readonly #table: MetadataTable | null;
  readonly #count: number;
  /** Which bytes of the decoded blocks, one after another, belong to files. */
  readonly #taken = new Extents();
  readonly #kept = new Map<number, Unpacked>();
  readonly #seen: Uint8Array;

  /** @param table null: there is none, and no tails */
  constructor(image: Image, table: MetadataTable | null) {
    this.#image = image;
    this.#table = table;
    const most = table === null ? 0 : table.blocks * ENTRIES_A_BLOCK;
    this.#count = Math.min(image.superblock.fragments, most, LIMITS.squashfsFragments);
    this.#seen = new Uint8Array(Math.ceil(this.#count / 8));
  }

  /** A file has these bytes of a block. */
  take(fragment: number, offset: number, bytes: number): void {
    const { blockBytes } = this.#image.superblock;
    if (fragment >= this.#count || offset + bytes > blockBytes) return;
    this.#taken.add(fragment * blockBytes + offset, fragment * blockBytes + offset + bytes);
  }

  /** @throws NarScanError CONTAINER_* */
  async entry(fragment: number): Promise<Fragment> {
    if (this.#table === null || fragment >= this.#count) {
      throw corrupt(
        'squashfs',
        this.#table?.start ?? 0,
        `a file ends in block ${fragment} of ${this.#count} blocks of tails`,
      );
    }
    const at = Math.floor(fragment / ENTRIES_A_BLOCK);
    const offset = (fragment % ENTRIES_A_BLOCK) * ENTRY_BYTES;
    const bytes = await this.#table.cursorIn(at, offset).take(ENTRY_BYTES);
    const start = LITTLE_ENDIAN.u64(bytes, 0);
    return { start, ...(readBlockWord(LITTLE_ENDIAN.u32(bytes, 8)) ?? { length: 0, packed: false }) };
  }

  /** What a block of tails holds; the last ones are kept. @throws NarScanError CONTAINER_* */
  async block(fragment: number): Promise<Unpacked> {
    const kept = this.#kept.get(fragment);
    if (kept !== undefined) {
      this.#kept.delete(fragment);
      this.#kept.set(fragment, kept);
      return kept;
    }
    const { blockBytes } = this.#image.superblock;
    const entry = await this.entry(fragment);
    const mask = 1 << (fragment & 7);
    const isFirst = (this.#seen[fragment >>> 3]! & mask) === 0;
    if (!isFirst) this.#image.repeats(blockBytes, entry.start);
    this.#seen[fragment >>> 3]! |= mask;
    const read = await this.#image.block(entry.start, entry, blockBytes, true);
    // nothing is there that could belong to a file
    if (isFirst && read.error === null) {
      this.#taken.add(fragment * blockBytes + read.bytes.length, (fragment + 1) * blockBytes);
    }
    if (this.#kept.size * blockBytes >= LIMITS.squashfsTailsBytes) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(fragment, read);
    return read;
  }

  /**
   * Claims all blocks of tails, and gives as a member each of which something belongs to no file.
   * Files come first.
   */
  async *rest(): AsyncGenerator<ContainerItem, void, undefined> {
    const { claimed, superblock } = this.#image;
    for (let fragment = 0; fragment < this.#count; fragment += 1) {
      try {
        const { start, length } = await this.entry(fragment);
        claimed.add(start, start + length);
      } catch (error) {
        if (!(error instanceof NarScanError)) throw error;
        break; // what is wrong with its table is told where that is searched as a whole
      }
    }
    if (superblock.fragments > this.#count) {
      const detail = `${superblock.fragments} blocks of tails are announced, ${this.#count} can be read`;
      yield faultOf(this.#count === LIMITS.squashfsFragments ? 'limit-entries' : 'corrupt', 16, detail);
    }
    let told = -1;
    for (const [from, to] of this.#taken.holes(0, this.#count * superblock.blockBytes)) {
      const first = Math.max(told + 1, Math.floor(from / superblock.blockBytes));
      for (let fragment = first; fragment * superblock.blockBytes < to; fragment += 1) {
        yield packedMember(`tails@${fragment}`, 0, this.#whole(fragment));
        told = fragment;
      }
    }
  }

  async *#whole(fragment: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { bytes, error } = await this.block(fragment);
    if (bytes.length > 0) yield bytes;
    if (error !== null) throw error;
  }
}
