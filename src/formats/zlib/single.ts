import type { StreamCodec } from '../compression/codec.ts';
import type { ByteStream, ContainerItem, RandomContainer } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import { packedFault, PackedPiece } from './piece.ts';

/**
 * One packed stream that fills the bytes [offset, limit) of a container. Bytes behind it are a
 * fault: they may hold what one reader sees and another does not.
 */
export async function* readPieceWithin(
  reader: RangeReader,
  offset: number,
  limit = reader.size,
  codec: StreamCodec = 'zlib',
): AsyncGenerator<ContainerItem, void, undefined> {
  const piece = new PackedPiece(codec, reader, offset, limit);
  try {
    yield piece.member();
    if (piece.end !== null && piece.end < limit) {
      yield packedFault('corrupt', piece.end, `bytes follow the ${codec} stream in its place`);
    }
  } finally {
    await piece.close();
  }
}

/** The longest header of an object: a type, a size of 20 digits, NUL. */
const GIT_HEADER_BYTES = 32;
const GIT_HEADER = /^(?:blob|tree|commit|tag) [0-9]{1,20}\0/;

/**
 * A loose git object: one zlib stream of a header (`blob 12`, NUL) and the content
 * (git, Documentation/gitformat-loose.txt). The content alone is given, so that its own kind is told.
 */
export const readGitObject: RandomContainer = async function* (reader) {
  for await (const item of readPieceWithin(reader, 0)) {
    const behind = item.item === 'member' && item.contents !== null;
    yield behind ? { ...item, contents: withoutGitHeader(item.contents) } : item;
  }
};

async function* withoutGitHeader(contents: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of contents) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < GIT_HEADER_BYTES) continue;
    yield head.subarray(gitHeaderBytes(head));
    head = null;
  }
  if (head !== null && head.length > 0) yield head.subarray(gitHeaderBytes(head));
}

function gitHeaderBytes(head: Buffer): number {
  return GIT_HEADER.exec(head.toString('latin1', 0, GIT_HEADER_BYTES))?.[0].length ?? 0;
}
