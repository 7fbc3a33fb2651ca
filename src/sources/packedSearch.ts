import type { RangeReader } from '../formats/ranges.ts';
import type { ContentFacts } from '../inspect/local.ts';
import type { Window } from '../inspect/window.ts';
import type { Inspection } from './inspection.ts';

/**
 * Searches a packed stream as it lies there: what its format has room for beside what it unpacks to (the name of a file
 * in gzip, skippable frames of zstd and lz4, metadata of brotli) goes along with it wherever it is sent.
 *
 * @param packed all of it
 */
export function searchPacked(packed: RangeReader, window: Window, { contents }: Inspection): ContentFacts {
  const { memory, start, size } = window;
  contents.begin(start);
  for (let at = 0; at < packed.size; at += size) {
    const piece = packed.read(at, Math.min(size, packed.size - at));
    if (piece === null)
      return contents.broken({ reason: 'unreadable', offset: at, detail: 'it could not be read again' });
    memory.set(piece, start);
    contents.extend(start + piece.length, false);
    window.carry(contents);
  }
  contents.extend(contents.end, true);
  return contents.rest();
}
