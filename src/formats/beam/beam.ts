import type { ContainerItem, RandomContainer } from '../container.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault } from '../zlib/piece.ts';
import { readPieceWithin } from '../zlib/single.ts';

/** `FOR1`, the size of the rest, `BEAM`. */
const FORM_BYTES = 12;
const CHUNK_START_BYTES = 8;
const ALIGNMENT = 4;

/** The version byte of a term, the tag of a compressed one, and the size that it expands to. */
const TERM_VERSION = 131;
const TERM_COMPRESSED = 80;
const TERM_HEADER_BYTES = 6;
const LITERALS_HEADER_BYTES = 4;

/**
 * The compressed chunks of a BEAM file (Erlang/OTP, beam_file format): the literals, and every
 * chunk that is a term in the compressed form of the external term format (documentation, debug
 * information, attributes). The other chunks are plain.
 */
export const readBeam: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  const form = bytesAt(reader, 0, FORM_BYTES);
  const formEnd = form.length < FORM_BYTES ? Infinity : 8 + BIG_ENDIAN.u32(form, 4);
  if (formEnd > reader.size) yield packedFault('truncated', 0, 'the form is longer than the file');
  const end = Math.min(formEnd, reader.size);
  for (let at = FORM_BYTES; at < end;) {
    const head = bytesAt(reader, at, CHUNK_START_BYTES + TERM_HEADER_BYTES);
    if (head.length < CHUNK_START_BYTES) {
      yield packedFault('truncated', at, 'a chunk ends early');
      return;
    }
    const length = BIG_ENDIAN.u32(head, 4);
    const data = at + CHUNK_START_BYTES;
    const limit = Math.min(data + length, end);
    const skip = packedAt(head, limit - data);
    if (skip !== null) yield* readPieceWithin(reader, data + skip, limit);
    if (data + length > end) {
      yield packedFault(
        formEnd > reader.size ? 'truncated' : 'corrupt',
        at,
        'a chunk is longer than the form',
      );
      return;
    }
    at = data + Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
};

/** Bytes of a chunk before its zlib stream; null: it has none. */
function packedAt(head: Uint8Array, length: number): number | null {
  const at = CHUNK_START_BYTES;
  const isLiterals = BIG_ENDIAN.u32(head, 0) === 0x4c69_7454; // LitT
  if (isLiterals) {
    // From OTP 28 on: a size of zero, and the literals as they are.
    return length >= LITERALS_HEADER_BYTES && BIG_ENDIAN.u32(head, at) !== 0 ? LITERALS_HEADER_BYTES : null;
  }
  const isTerm = byteAt(head, at) === TERM_VERSION && byteAt(head, at + 1) === TERM_COMPRESSED;
  return isTerm && length >= TERM_HEADER_BYTES ? TERM_HEADER_BYTES : null;
}
