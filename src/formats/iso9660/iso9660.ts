import type { RandomContainer } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import { bootImages } from './bootImages.ts';
import { Extents } from './extents.ts';
import { rockRidgeSkip, Tree } from './tree.ts';
import { readVolumes } from './volume.ts';
import type { Volume } from './volume.ts';

/**
 * An image of ISO 9660 (ECMA-119): the files of all its trees, with the names of Rock Ridge (IEEE
 * P1282) or Joliet where it has them, and what boots it (El Torito). A file that several names lead
 * to comes with its contents once; the other names come without.
 *
 * @throws NarScanError CONTAINER_LIMIT; CONTAINER_UNREADABLE where the reader does not have the bytes
 */
export const readIso9660: RandomContainer = async function* (reader, end) {
  const { volumes, bootCatalogs, faults } = readVolumes(reader);
  yield* faults;
  const extents = new Extents(reader.size);
  const roots = new Set<number>();
  for (const volume of bestNamesFirst(reader, volumes)) {
    // another descriptor of the same tree
    const root = volume.root.block * volume.blockBytes;
    if (roots.has(root)) continue;
    roots.add(root);
    yield* new Tree(reader, volume, extents).items();
  }
  const volumesEnd = Math.max(0, ...volumes.map((volume) => volume.end));
  yield* bootImages(reader, bootCatalogs, extents, volumesEnd);
  const overlap = extents.overlap();
  if (overlap !== null) yield overlap;
  end(Math.min(reader.size, Math.max(volumesEnd, extents.end)));
};

/** Names tell of some kinds of files: those of Rock Ridge are what they were, then come Joliet's. */
function bestNamesFirst(reader: RangeReader, volumes: readonly Volume[]): readonly Volume[] {
  const rank = (volume: Volume): number => {
    if (volume.joliet) return 1;
    return rockRidgeSkip(reader, volume) === null ? 2 : 0;
  };
  return volumes
    .map((volume) => ({ volume, rank: rank(volume) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ volume }) => volume);
}
