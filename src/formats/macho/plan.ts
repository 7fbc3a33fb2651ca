import { LIMITS } from '../../model/limits.ts';
import type { Range } from '../ranges.ts';
import { boundedRanges } from '../tables.ts';
import { FAT_HEADER_BYTES, parseFatHeader, parseMachoHeader, parseSlice } from './header.ts';

/** Load commands of an architecture behind the head, whose true size is not known yet. */
const COMMANDS_GUESS = 256 * 1024;

/**
 * The ranges behind the head that {@link readMacho} will ask for: the load commands, of every
 * architecture of a fat file.
 *
 * @param head the first min(size, LIMITS.binaryHeadBytes) bytes of the file
 * @param size of the file
 * @returns in ascending order, apart from one another, LIMITS.binaryTableBytes in all
 */
export function planMacho(head: Uint8Array, size: number): Range[] {
  const thin = parseMachoHeader(head);
  if (thin !== null) {
    return boundedRanges([{ offset: thin.bytes, length: thin.commandBytes }], head.length, size);
  }
  const fat = parseFatHeader(head);
  if (fat === null) return [];
  const inHead = Math.floor((head.length - FAT_HEADER_BYTES) / fat.entryBytes);
  const count = Math.min(fat.count, inHead, LIMITS.binaryTableBytes / 4096);
  const wanted: Range[] = [];
  for (let k = 0; k < count; k += 1) {
    const slice = parseSlice(fat, head, FAT_HEADER_BYTES + k * fat.entryBytes);
    const share = Math.floor(LIMITS.binaryTableBytes / count);
    wanted.push({ offset: slice.offset, length: Math.min(slice.size, COMMANDS_GUESS, share) });
  }
  return boundedRanges(wanted, head.length, size);
}
