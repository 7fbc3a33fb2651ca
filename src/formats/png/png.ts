import { LIMITS } from '../../model/limits.ts';
import type { ContainerFault, RandomContainer } from '../container.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault } from '../zlib/piece.ts';
import { readPieceWithin } from '../zlib/single.ts';

const SIGNATURE_BYTES = 8;
/** Length and type before the data, CRC behind it. */
const CHUNK_START_BYTES = 8;
const CRC_BYTES = 4;
/** A keyword has at most 79 characters, then a NUL. */
const KEYWORD_BYTES = 80;
const MOST_BYTES = 0x7fff_ffff;

/**
 * The compressed texts of a PNG image (PNG, 11.3.3 and 11.3.2.3): zTXt, iTXt where its flag says
 * so, and the name and profile of iCCP. Pixels are no text and are not looked at, tEXt is plain.
 */
export const readPng: RandomContainer = async function* (reader, end) {
  for (let at = SIGNATURE_BYTES; ;) {
    const head = bytesAt(reader, at, CHUNK_START_BYTES);
    // some writers leave the end chunk out: nothing is unread then
    if (head.length === 0 && at === reader.size) return end(at);
    if (head.length < CHUNK_START_BYTES) {
      yield packedFault('truncated', at, 'a chunk ends early');
      return;
    }
    const length = BIG_ENDIAN.u32(head, 0);
    const type = Buffer.from(head.subarray(4)).toString('latin1');
    if (length > MOST_BYTES || !/^[A-Za-z]{4}$/.test(type)) {
      yield packedFault('corrupt', at, 'no chunk begins here');
      return;
    }
    const data = at + CHUNK_START_BYTES;
    const dataEnd = Math.min(data + length, reader.size);
    const packed = packedText(reader, type, data, dataEnd);
    if (packed !== null)
      yield* typeof packed === 'number' ? readPieceWithin(reader, packed, dataEnd) : [packed];
    at = data + length + CRC_BYTES;
    if (at > reader.size) {
      yield packedFault('truncated', data, 'the last chunk ends early');
      return;
    }
    if (type === 'IEND') {
      end(at);
      return;
    }
  }
};

/** Where the zlib stream of a chunk begins; null: it has none. */
function packedText(
  reader: RangeReader,
  type: string,
  data: number,
  end: number,
): number | ContainerFault | null {
  if (type !== 'zTXt' && type !== 'iTXt' && type !== 'iCCP') return null;
  const head = bytesAt(reader, data, Math.min(LIMITS.packedHeaderBytes, end - data));
  const keyword = head.subarray(0, KEYWORD_BYTES).indexOf(0);
  if (keyword === -1) return packedFault('corrupt', data, `a ${type} chunk has no keyword`);
  let at = keyword + 1;
  if (type === 'iTXt') {
    if (byteAt(head, at) === 0 && at < head.length) return null;
    at += 1;
  }
  if (byteAt(head, at) !== 0 || at >= head.length) {
    return packedFault('unsupported', data, `a ${type} chunk is packed in an unknown way`);
  }
  at += 1;
  if (type === 'iTXt') {
    for (const field of ['language', 'translated keyword']) {
      const nul = head.indexOf(0, at);
      if (nul === -1) return packedFault('corrupt', data, `the ${field} of an iTXt chunk has no end`);
      at = nul + 1;
    }
  }
  return data + at;
}
