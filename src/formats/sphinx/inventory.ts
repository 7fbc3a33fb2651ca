import { LIMITS } from '../../model/limits.ts';
import type { ContainerItem, RandomContainer } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault } from '../zlib/piece.ts';
import { readPieceWithin } from '../zlib/single.ts';

const HEADER_LINES = 4;
const NEWLINE = 0x0a;

/** `objects.inv` of version 2: four lines of text, then a zlib stream (Sphinx, sphinx/util/inventory.py). */
export const readObjectsInventory: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  const head = bytesAt(reader, 0, LIMITS.packedHeaderBytes);
  let at = 0;
  for (let line = 0; line < HEADER_LINES; line += 1) {
    const end = head.indexOf(NEWLINE, at);
    if (end === -1) {
      const whole = head.length < reader.size;
      yield packedFault(whole ? 'corrupt' : 'truncated', at, 'the inventory has no four lines at its start');
      return;
    }
    at = end + 1;
  }
  yield* readPieceWithin(reader, at);
};
