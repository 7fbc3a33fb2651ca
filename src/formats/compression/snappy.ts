import { LITTLE_ENDIAN } from '../integers.ts';
import { crc32c } from './crc32c.ts';
import { fault, trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { decodeSnappyBlock } from './snappyBlock.ts';

const IDENTIFIER = '\xff\x06\0\0sNaPpY';
/** Type and length. */
const CHUNK_HEAD_BYTES = 4;
const CRC_BYTES = 4;
/** What a chunk may hold, unpacked. */
const BLOCK_BYTES = 65_536;
/** The most that a block of this length may take up, packed. */
const PACKED_BYTES = 32 + BLOCK_BYTES + Math.floor(BLOCK_BYTES / 6) + CRC_BYTES;
const COMPRESSED = 0x00;
const PLAIN = 0x01;
const LAST_RESERVED = 0x7f;
const STREAM = 0xff;

/**
 * Decodes snappy's frames (snappy, framing_format.txt) with their checksums. Streams one after
 * another are one. There is no end mark: a stream that was cut behind a chunk looks whole. What
 * cannot be a chunk, such as zeros, follows the end.
 */
export async function* decodeSnappy(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  const output = new Uint8Array(BLOCK_BYTES);
  for (let first = true; ; first = false) {
    const { offset } = input;
    const whole = await input.fill(CHUNK_HEAD_BYTES);
    if (!whole && input.available === 0 && !first) return;
    if (!whole) throw truncated('snappy', offset + input.available);
    const [type = 0, ...length] = input.peek(CHUNK_HEAD_BYTES);
    const size = (length[0] ?? 0) + (length[1] ?? 0) * 0x100 + (length[2] ?? 0) * 0x1_0000;
    if (first && type !== STREAM) throw fault('CORRUPT', 'snappy', 0, 'does not begin as the format does');
    if (type === STREAM) {
      if (!(await input.fill(IDENTIFIER.length))) throw truncated('snappy', offset + input.available);
      if (String.fromCharCode(...input.peek(IDENTIFIER.length)) !== IDENTIFIER) {
        throw fault('CORRUPT', 'snappy', offset, 'wrong stream identifier');
      }
      input.start += IDENTIFIER.length;
    } else if (type > LAST_RESERVED) {
      if (!(await input.skip(CHUNK_HEAD_BYTES + size))) throw truncated('snappy', input.offset);
    } else if (type !== COMPRESSED && type !== PLAIN) {
      throw fault('UNSUPPORTED', 'snappy', offset, 'has a chunk of an unknown kind');
    } else {
      if (size <= CRC_BYTES) throw trailing('snappy', offset);
      if (size > PACKED_BYTES) throw fault('CORRUPT', 'snappy', offset, 'a chunk is larger than allowed');
      input.start += CHUNK_HEAD_BYTES;
      yield* decodeChunk(input, type === COMPRESSED, size, output, offset);
    }
  }
}

async function* decodeChunk(
  input: Input,
  compressed: boolean,
  size: number,
  output: Uint8Array,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Of a chunk that is cut short, what is there is decoded all the same.
  const whole = await input.fill(size);
  const stored = input.peek(size);
  if (stored.length <= CRC_BYTES) throw truncated('snappy', offset + CHUNK_HEAD_BYTES + stored.length);
  const wanted = LITTLE_ENDIAN.u32(stored, 0);
  const data = stored.subarray(CRC_BYTES);
  const block = compressed ? decodeSnappyBlock(data, output) : null;
  const content = block === null ? data.subarray(0, BLOCK_BYTES) : output.subarray(0, block.end);
  const sum = masked(crc32c(content));
  input.start += stored.length;
  if (content.length > 0) yield content;
  if (!whole) throw truncated('snappy', input.offset);
  if (block?.valid === false || (!compressed && data.length > BLOCK_BYTES)) {
    throw fault('CORRUPT', 'snappy', offset, 'block is damaged');
  }
  if (sum !== wanted) throw fault('CORRUPT', 'snappy', offset, 'block checksum differs');
}

/** Checksums of data that hold checksums are turned, so that they do not cancel out. */
function masked(sum: number): number {
  return (((sum >>> 15) | (sum << 17)) + 0xa282_ead8) >>> 0;
}
