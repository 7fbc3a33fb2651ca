import type { ContainerItem, RandomContainer } from '../container.ts';
import { streamOf } from '../container.ts';
import { corrupt, faultOf } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt } from '../zlib/piece.ts';
import { gapOf } from './faults.ts';
import { Fragments } from './fragments.ts';
import { Image } from './image.ts';
import { readSuperblock, SUPERBLOCK_BYTES } from './superblock.ts';
import { findTables, tableItems } from './tables.ts';
import type { Tables } from './tables.ts';
import { Walk } from './walk.ts';

/** Images are filled up to whole pages with zeros. */
const PAGE_BYTES = 4096;

/**
 * A squashfs image of version 4.0 (Linux, Documentation/filesystems/squashfs.rst and
 * fs/squashfs/squashfs_fs.h): every file by its path, links and other entries as names, and what
 * the tables hold beside them, extended attributes among it. An inode with several names is read once.
 *
 * Gives account of every byte: what no directory names is read too, and packed bytes that belong to
 * nothing are a fault. `end` is told where the zeros that fill up the last page end.
 *
 * @throws NarScanError CONTAINER_UNREADABLE where the reader does not have the bytes
 */
export const readSquashfs: RandomContainer = async function* (reader, end) {
  const superblock = readSuperblock(bytesAt(reader, 0, SUPERBLOCK_BYTES));
  if ('item' in superblock) {
    yield superblock;
    return;
  }
  if (superblock.bytes > reader.size) {
    yield faultOf('truncated', reader.size, `${reader.size} bytes of ${superblock.bytes} are there`);
  }
  const image = new Image(reader, superblock);
  let tables: Tables;
  try {
    tables = findTables(image);
  } catch (error) {
    yield gapOf(error);
    return;
  }
  yield* tables.faults;
  const fragments = new Fragments(image, tables.fragments);
  yield* new Walk(image, tables, fragments).items();
  yield* fragments.rest();
  yield* tableItems(tables);
  yield* unclaimed(reader, image);
  end(await padded(reader, image.size));
};

/** What of an image belongs to no inode and no table, unless it is all zeros. */
async function* unclaimed(reader: RangeReader, image: Image): AsyncGenerator<ContainerItem, void, undefined> {
  const { claimed, size } = image;
  if (claimed.overflown) {
    yield faultOf('limit-memory', 0, 'too scattered to tell whether everything in it was read');
    return;
  }
  let bytes = 0;
  let first = -1;
  claimed.add(0, SUPERBLOCK_BYTES);
  for (const [from, to] of claimed.holes(0, size)) {
    if (await isZero(reader, from, to)) continue;
    if (first < 0) first = from;
    bytes += to - from;
  }
  if (first >= 0)
    yield gapOf(corrupt('squashfs', first, `${bytes} bytes of the image belong to nothing in it`));
}

async function isZero(reader: RangeReader, from: number, to: number): Promise<boolean> {
  for await (const piece of streamOf(reader, from, to - from)) {
    if (piece.some((byte) => byte !== 0)) return false;
  }
  return true;
}

/** Where the zeros behind the image end that fill up its last page; where there are others, its own end. */
async function padded(reader: RangeReader, end: number): Promise<number> {
  const full = Math.min(reader.size, Math.ceil(end / PAGE_BYTES) * PAGE_BYTES);
  return (await isZero(reader, end, full)) ? full : end;
}
