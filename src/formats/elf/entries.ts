import type { Tables } from '../tables.ts';

const BLOCK_BYTES = 64 * 1024;

/**
 * Walks a table of equally long entries, a block at a time, so that an untrusted count never
 * decides an allocation. `visit` gets a view that is valid during the call, and ends the walk by
 * returning false.
 *
 * @returns whether the walk came to its end (all entries, or `visit` said so); false: a fault is noted
 */
export function eachEntry(
  tables: Tables,
  table: { readonly offset: number; readonly entryBytes: number; readonly count: number },
  what: string,
  visit: (bytes: Uint8Array, at: number, index: number) => boolean,
): boolean {
  const { offset, entryBytes, count } = table;
  if (!tables.holds(offset, count * entryBytes)) {
    tables.corrupt(offset, `${what} outside the file`);
    return false;
  }
  const perBlock = Math.max(1, Math.floor(BLOCK_BYTES / entryBytes));
  for (let first = 0; first < count; first += perBlock) {
    const entries = Math.min(perBlock, count - first);
    const bytes = tables.read(offset + first * entryBytes, entries * entryBytes, what);
    if (bytes === null) return false;
    for (let k = 0; k < entries; k += 1) {
      if (!visit(bytes, k * entryBytes, first + k)) return true;
    }
  }
  return true;
}
