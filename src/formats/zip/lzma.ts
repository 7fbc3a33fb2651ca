import { NarScanError } from '../../model/errors.ts';
import { decompress } from '../compression/decompress.ts';
import { FLAG } from './headers.ts';

/** Version of the SDK and length of the properties, before the properties themselves. */
const PREFIX_BYTES = 4;
const PROPERTIES_BYTES = 5;

/** What {@link unpackLzma} has to know of a member. */
export interface LzmaData {
  readonly offset: number;
  readonly flags: number;
  readonly size: number | null;
}

/**
 * Decodes LZMA as zip frames it (APPNOTE 5.8): the same data as in an .lzma file behind another
 * header, with the decoded length in the member's headers or an end mark.
 *
 * @throws NarScanError as decompress, CONTAINER_CORRUPT
 */
export async function* unpackLzma(
  source: AsyncIterable<Uint8Array>,
  data: LzmaData,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* decompress('lzma', asLzmaFile(source, data));
}

async function* asLzmaFile(
  source: AsyncIterable<Uint8Array>,
  data: LzmaData,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head = Buffer.alloc(0);
  for await (const piece of source) {
    if (head.length > PREFIX_BYTES + PROPERTIES_BYTES) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length <= PREFIX_BYTES + PROPERTIES_BYTES) continue;
    if (head.readUInt16LE(2) !== PROPERTIES_BYTES) break;
    yield lzmaFileHeader(head, data);
    yield head.subarray(PREFIX_BYTES + PROPERTIES_BYTES);
  }
  if (head.length <= PREFIX_BYTES + PROPERTIES_BYTES || head.readUInt16LE(2) !== PROPERTIES_BYTES) {
    const what = `zip member at byte ${data.offset}: its LZMA header is not one`;
    throw new NarScanError('CONTAINER_CORRUPT', what, { offset: data.offset });
  }
}

function lzmaFileHeader(head: Buffer, { flags, size }: LzmaData): Buffer {
  const header = Buffer.alloc(PROPERTIES_BYTES + 8, 0xff);
  header[0] = head[PREFIX_BYTES]!;
  // Any size is legal here; an .lzma file has one of a few, and a larger one changes nothing.
  const dictionary = Math.max(head.readUInt32LE(PREFIX_BYTES + 1), 4096);
  header.writeUInt32LE(Math.min(2 ** Math.ceil(Math.log2(dictionary)), 0xffff_ffff), 1);
  const isMarked = (flags & FLAG.endMark) !== 0 || size === null;
  if (!isMarked) header.writeBigUInt64LE(BigInt(size), PROPERTIES_BYTES);
  return header;
}
