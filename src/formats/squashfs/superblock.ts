import type { ContainerFault } from '../container.ts';
import { byteAt, LITTLE_ENDIAN } from '../integers.ts';
import { faultOf } from '../memberBody.ts';

export const SUPERBLOCK_BYTES = 96;

/** Flag of the superblock: options of the compressor follow it, in one metadata block. */
const HAS_OPTIONS = 0x400;

const LEAST_BLOCK_LOG = 12;
const MOST_BLOCK_LOG = 20;

/** What a field says that leads to no table: all ones. */
const NO_TABLE = 2 ** 63;

/** How blocks are packed, by the numbers of the format. */
export const COMPRESSION = { zlib: 1, lzma: 2, lzo: 3, xz: 4, lz4: 5, zstd: 6 } as const;

/** Where an image's tables stand, in bytes from its start; of the last four, where the list of their blocks is. */
interface TablePlaces {
  readonly inodes: number;
  readonly directories: number;
  /** Null: there is none, as of the others. */
  readonly fragments: number | null;
  readonly exports: number | null;
  readonly ids: number | null;
  readonly xattrs: number | null;
}

/** The superblock of a squashfs image of version 4.0 (Linux, fs/squashfs/squashfs_fs.h). */
export interface Superblock {
  readonly inodes: number;
  /** Bytes of a block of contents before it is packed: a power of two, 4 KiB to 1 MiB. */
  readonly blockBytes: number;
  /** How many blocks hold tails of files. */
  readonly fragments: number;
  readonly compression: number;
  readonly hasOptions: boolean;
  /** How many users and groups are listed. */
  readonly ids: number;
  /** Reference to the inode of the root. */
  readonly root: number;
  /** Bytes of the image, without what fills it up to whole pages. */
  readonly bytes: number;
  readonly places: TablePlaces;
}

/**
 * Reads a superblock.
 * @param head the first bytes of the image
 * @returns a fault where it is of another version, or is none
 */
export function readSuperblock(head: Uint8Array): Superblock | ContainerFault {
  const { u16, u32, u64 } = LITTLE_ENDIAN;
  if (byteAt(head, 0) !== 0x68) {
    return faultOf('unsupported', 0, 'a squashfs image of big-endian numbers cannot be opened');
  }
  const [major, minor] = [u16(head, 28), u16(head, 30)];
  if (major !== 4 || minor !== 0) {
    return faultOf('unsupported', 0, `a squashfs image of version ${major}.${minor} cannot be opened`);
  }
  if (head.length < SUPERBLOCK_BYTES) return faultOf('truncated', head.length, 'the superblock ends early');
  const blockBytes = u32(head, 12);
  const log = u16(head, 22);
  if (log < LEAST_BLOCK_LOG || log > MOST_BLOCK_LOG || blockBytes !== 2 ** log) {
    return faultOf('corrupt', 12, 'the superblock names no legal size of blocks');
  }
  const place = (at: number): number | null => {
    const value = u64(head, at);
    return value >= NO_TABLE ? null : value;
  };
  const compression = u16(head, 20);
  if (compression === COMPRESSION.lzo || compression < 1 || compression > COMPRESSION.zstd) {
    const name = compression === COMPRESSION.lzo ? 'lzo' : `compression ${compression}`;
    return faultOf('unsupported', 20, `a squashfs image packed by ${name} cannot be opened`);
  }
  return {
    inodes: u32(head, 4),
    blockBytes,
    fragments: u32(head, 16),
    compression,
    hasOptions: (u16(head, 24) & HAS_OPTIONS) !== 0,
    ids: u16(head, 26),
    root: u64(head, 32),
    bytes: u64(head, 40),
    places: {
      inodes: u64(head, 64),
      directories: u64(head, 72),
      fragments: place(80),
      exports: place(88),
      ids: place(48),
      xattrs: place(56),
    },
  };
}
