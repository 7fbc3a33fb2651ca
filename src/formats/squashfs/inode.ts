import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { byteStringOf, corrupt } from '../memberBody.ts';
import type { MetadataCursor, MetadataTable } from './metadata.ts';

/** What every inode begins with: type, mode, owner, group, time, number. */
const HEADER_BYTES = 16;

/** What stands for no block of tails. */
const NO_TAIL = 0xffff_ffff;

/** The extended types come so many behind the basic ones. */
const EXTENDED = 7;
export const BASIC = { directory: 1, file: 2, symlink: 3, socket: 7 } as const;

/** In the length of a block: it is not packed. */
const BLOCK_STORED = 0x100_0000;

/** Lengths of blocks that are read at once. */
const LIST_BYTES = 4096;

/** Where a directory's listing stands, by the directory table's own reckoning. */
export interface DirectoryInode {
  readonly kind: 'directory';
  /** Distance of the block in which it begins. */
  readonly block: number;
  readonly offset: number;
  readonly bytes: number;
  /** Names by which a long listing is entered in its middle, as they stand. */
  readonly index: Uint8Array;
}

export interface FileInode {
  readonly kind: 'file';
  readonly bytes: number;
  /** Offset in the image of its first block. */
  readonly start: number;
  readonly blocks: number;
  /** Stands at the lengths of its blocks. */
  readonly list: MetadataCursor;
  /** Bytes of the image that its blocks take. */
  readonly packedBytes: number;
  /** All of its blocks are there, and none is packed. */
  readonly stored: boolean;
  /** The end of the file that fills no block: which block of tails, and where in it. Null: it has none. */
  readonly tail: { readonly fragment: number; readonly offset: number; readonly bytes: number } | null;
}

interface OtherInode {
  readonly kind: 'symlink' | 'special';
  readonly target: ByteString;
}

/** An inode, with its type as listings name it. */
export type Inode = (DirectoryInode | FileInode | OtherInode) & { readonly type: number };

/** The type of an inode as listings name it. */
export function basicType(written: number): number {
  return written > EXTENDED ? written - EXTENDED : written;
}

/** One length of a block as an inode lists it; null: the block is all zeros. */
export function readBlockWord(word: number): { readonly length: number; readonly packed: boolean } | null {
  const length = word & (BLOCK_STORED - 1);
  return length === 0 ? null : { length, packed: (word & BLOCK_STORED) === 0 };
}

/**
 * Reads the inode at a cursor, which stands behind it then.
 *
 * @param blockBytes of the image
 * @throws NarScanError CONTAINER_* where there is none, or the table breaks off
 */
export async function readInode(
  cursor: MetadataCursor,
  table: MetadataTable,
  blockBytes: number,
): Promise<Inode> {
  const head = cursor.near(HEADER_BYTES) ?? (await cursor.take(HEADER_BYTES));
  const written = LITTLE_ENDIAN.u16(head, 0);
  const extended = written > EXTENDED;
  const type = basicType(written);
  if (type < BASIC.directory || type > BASIC.socket) {
    throw corrupt('squashfs', table.start, `an inode of type ${written}`);
  }
  if (type === BASIC.directory) return { type, ...(await readDirectory(cursor, table, extended)) };
  if (type === BASIC.file) return { type, ...(await readFile(cursor, table, extended, blockBytes)) };
  if (type === BASIC.symlink) return { type, ...(await readSymlink(cursor, table, extended)) };
  const device = type < 6 ? 4 : 0;
  await cursor.take(4 + device + (extended ? 4 : 0));
  return { type, kind: 'special', target: '' };
}

async function readDirectory(
  cursor: MetadataCursor,
  table: MetadataTable,
  extended: boolean,
): Promise<DirectoryInode> {
  const { u16, u32 } = LITTLE_ENDIAN;
  if (!extended) {
    const body = await cursor.take(16);
    return {
      kind: 'directory',
      block: u32(body, 0),
      offset: u16(body, 10),
      bytes: u16(body, 8),
      index: Buffer.alloc(0),
    };
  }
  const body = await cursor.take(24);
  const found = { block: u32(body, 8), offset: u16(body, 18), bytes: u32(body, 4) };
  const names: Uint8Array[] = [];
  for (let left = u16(body, 16); left > 0; left -= 1) {
    const length = u32(await cursor.take(12), 8) + 1;
    table.lends(length);
    names.push(Buffer.from(await cursor.take(length)));
  }
  return { kind: 'directory', ...found, index: Buffer.concat(names) };
}

async function readFile(
  cursor: MetadataCursor,
  table: MetadataTable,
  extended: boolean,
  blockBytes: number,
): Promise<FileInode> {
  const { u32, u64 } = LITTLE_ENDIAN;
  const body = await cursor.take(extended ? 40 : 16);
  const start = extended ? u64(body, 0) : u32(body, 0);
  const bytes = extended ? u64(body, 8) : u32(body, 12);
  const fragment = u32(body, extended ? 28 : 4);
  const offset = u32(body, extended ? 32 : 8);
  const tailBytes = fragment === NO_TAIL ? 0 : bytes % blockBytes;
  const blocks = fragment === NO_TAIL ? Math.ceil(bytes / blockBytes) : Math.floor(bytes / blockBytes);
  table.lends(4 * blocks);
  const list = cursor.copy();
  let packedBytes = 0;
  let stored = true;
  for (let left = 4 * blocks; left > 0;) {
    const words = await cursor.take(Math.min(left, LIST_BYTES));
    for (let at = 0; at < words.length; at += 4) {
      const block = readBlockWord(u32(words, at));
      packedBytes += block?.length ?? 0;
      stored &&= block !== null && !block.packed;
    }
    left -= words.length;
  }
  const tail = tailBytes === 0 ? null : { fragment, offset, bytes: tailBytes };
  return { kind: 'file', bytes, start, blocks, list, packedBytes, stored, tail };
}

async function readSymlink(
  cursor: MetadataCursor,
  table: MetadataTable,
  extended: boolean,
): Promise<OtherInode> {
  const length = LITTLE_ENDIAN.u32(await cursor.take(8), 4);
  if (length > LIMITS.squashfsTargetBytes) {
    throw corrupt('squashfs', table.start, `a link target of ${length} bytes`);
  }
  const target = byteStringOf(await cursor.take(length));
  if (extended) await cursor.take(4);
  return { kind: 'symlink', target };
}
