import type { RangeReader } from '../ranges.ts';
import { bytesAt } from './piece.ts';

const FIRST_BYTES = 4 * 1024;
const MOST_BYTES = 256 * 1024;

/** Where a text begins at or behind `from`, and before `limit`; -1: nowhere. Takes time by what lies between. */
export function findText(reader: RangeReader, text: string, from: number, limit = reader.size): number {
  for (let at = from, room = FIRST_BYTES; at + text.length <= limit; room = Math.min(2 * room, MOST_BYTES)) {
    const view = bytesAt(reader, at, Math.min(room, limit - at));
    const found = Buffer.from(view.buffer, view.byteOffset, view.length).indexOf(text, 0, 'latin1');
    if (found !== -1) return at + found;
    at += view.length - text.length + 1;
  }
  return -1;
}
