import type { Codec } from '../../formats/compression/codec.ts';
import { decompress } from '../../formats/compression/decompress.ts';
import { type ContainerLimits, LimitReached } from '../../inspect/containers/budget.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { packNar } from '../../quarantine/store/narFile.ts';
import { readFull } from '../../sources/byteSource.ts';
import { checkUnpacked, codecOf, Packed } from '../../sources/packed.ts';
import { GrowingSource } from './growingSource.ts';
import type { JobResults, RepackJob } from './jobs.ts';
import { Pressure } from './pressure.ts';

/**
 * Unpacks a NAR, whatever is in it, and packs it with zstd.
 * @param limits of what it may unpack to
 * @throws NarScanError QUARANTINE_FULL, QUARANTINE_NOT_KEPT, COMPRESSION_ codes; errors of the system
 */
export async function repackNar(
  { file, name, target, most }: RepackJob,
  limits: ContainerLimits,
): Promise<JobResults['repack']> {
  try {
    let compression: Codec = 'none';
    const pieces = unpacked(file, name, limits, (codec) => (compression = codec));
    const written = await packNar(pieces, target, most);
    return { compression, ...written };
  } catch (error) {
    if (error instanceof LimitReached) throw new NarScanError('QUARANTINE_NOT_KEPT', error.message);
    throw error;
  }
}

async function* unpacked(
  file: string,
  name: string,
  limits: ContainerLimits,
  packed: (codec: Codec) => void,
): AsyncGenerator<Buffer> {
  using source = new GrowingSource(file, null, new Pressure());
  const memory = Buffer.alloc(LIMITS.chunkBytes);
  const head = memory.subarray(0, readFull(source, memory, 0, memory.length));
  const codec = (await codecOf(head.subarray(0, 64), name)) ?? 'none';
  packed(codec);
  const bytes = new Packed(head, source);
  let count = 0;
  for await (const piece of decompress(codec, bytes)) {
    checkUnpacked(limits, (count += piece.length), bytes.taken);
    // it changes when the next one is asked for
    yield Buffer.from(piece);
  }
}
