import type { ContainerItem, RandomContainer } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import { packedFault, PackedPiece } from './piece.ts';

/**
 * The zlib stream that fills the container from `offset` to its end. Bytes behind it are a fault:
 * they may hold what one reader sees and another does not.
 */
export async function* readZlibFrom(
  reader: RangeReader,
  offset: number,
): AsyncGenerator<ContainerItem, void, undefined> {
  const piece = new PackedPiece('zlib', reader, offset);
  try {
    yield piece.member();
    const fault = await piece.finish();
    if (fault !== null) yield fault;
    if (piece.end !== null && piece.end < reader.size) {
      yield packedFault('corrupt', piece.end, 'bytes follow the zlib stream');
    }
  } finally {
    await piece.close();
  }
}

/**
 * A loose git object: one zlib stream of a header (`blob 12`, NUL) and the content
 * (git, Documentation/gitformat-loose.txt).
 */
export const readGitObject: RandomContainer = (reader) => readZlibFrom(reader, 0);
