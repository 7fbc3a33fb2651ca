import { NarScanError } from '../../model/errors.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { corrupt } from '../memberBody.ts';
import type { Fragments } from './fragments.ts';
import type { Image } from './image.ts';
import { readBlockWord } from './inode.ts';
import type { FileInode } from './inode.ts';

/**
 * The content of a file: its blocks, then its tail. A damaged block gives what can be decoded of it,
 * and those behind it are read all the same.
 *
 * @throws NarScanError CONTAINER_*, COMPRESSION_*: the first fault, at the end
 */
export async function* fileContents(
  image: Image,
  fragments: Fragments,
  file: FileInode,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { blockBytes } = image.superblock;
  const list = file.list.copy();
  let failure: NarScanError | null = null;
  if (file.packedBytes > 0 && file.start + file.packedBytes > image.superblock.places.inodes) {
    failure = corrupt('squashfs', file.start, 'blocks of a file lie among the tables');
  }
  let at = file.start;
  let left = file.bytes;
  for (let index = 0; index < file.blocks; index += 1) {
    const word = LITTLE_ENDIAN.u32(list.near(4) ?? (await list.take(4)), 0);
    const wanted = Math.min(blockBytes, left);
    left -= wanted;
    const block = readBlockWord(word);
    if (block === null) {
      yield new Uint8Array(wanted);
      continue;
    }
    const { bytes, error } = await blockOf(image, at, block);
    failure ??= error;
    if (bytes.length > 0) yield bytes;
    if (error === null && bytes.length !== wanted) {
      failure ??= corrupt('squashfs', at, `a block holds ${bytes.length} bytes, and not ${wanted}`);
    }
    at += block.length;
  }
  if (file.tail !== null) {
    const { fragment, offset, bytes: wanted } = file.tail;
    const { bytes, error } = await fragments.block(fragment);
    const tail = bytes.subarray(offset, offset + wanted);
    if (tail.length > 0) yield tail;
    if (tail.length < wanted)
      failure ??= error ?? corrupt('squashfs', at, 'the end of a file is not where its inode says');
  }
  if (failure !== null) throw failure;
}

async function blockOf(
  image: Image,
  at: number,
  block: { readonly length: number; readonly packed: boolean },
): ReturnType<Image['block']> {
  try {
    return await image.block(at, block, image.superblock.blockBytes, false);
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    return { bytes: new Uint8Array(0), error };
  }
}
