import type { StreamCodec } from '../compression/codec.ts';
import type { ContainerItem, RandomContainer } from '../container.ts';
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

/**
 * A loose git object: one zlib stream of a header (`blob 12`, NUL) and the content
 * (git, Documentation/gitformat-loose.txt).
 */
export const readGitObject: RandomContainer = (reader) => readPieceWithin(reader, 0);
