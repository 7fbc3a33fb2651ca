import type { DecompressLimits } from './codec.ts';
import { fault, StreamCount, trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { decodeLz4Block } from './lz4Block.ts';
import { MAGIC } from './magic.ts';
import { Xxh32 } from './xxh32.ts';

const HISTORY_BYTES = 64 * 1024;
const LEGACY_BLOCK_BYTES = 8 * 1024 * 1024;
const SKIPPABLE = 0x184d2a50;
const FRAME = 0x184d2204;
const LEGACY = 0x184c2102;

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

/**
 * Decodes an lz4 file (lz4_Frame_format.md): frames, skippable frames and legacy frames in a row,
 * with every checksum that is there. Dictionaries are not supported.
 *
 * A legacy frame has no end mark. One whose last block is a full one may have been cut behind it
 * and counts as truncated.
 */
export async function* decodeLz4(input: Input, limits: DecompressLimits): Chunks {
  const streams = new StreamCount('lz4', limits.streams);
  for (let first = true; ; first = false) {
    const magic = await nextMagic(input);
    if (magic === 'none' && !first) return;
    if (magic === 'none' || magic === 'prefix') throw truncated('lz4', input.offset + input.available);
    if (magic === 'other') {
      throw first
        ? fault('CORRUPT', 'lz4', 0, 'does not begin as the format does')
        : trailing('lz4', input.offset);
    }
    streams.begins(input.offset);
    input.start += 4;
    if (magic === 'frame') yield* decodeFrame(input);
    else if (magic === 'legacy') yield* decodeLegacy(input);
    else if (!(await input.skip(await takeWord(input)))) throw truncated('lz4', input.offset);
  }
}

const MAGICS = [
  ['frame', MAGIC.lz4],
  ['legacy', MAGIC.lz4Legacy],
  ['skippable', MAGIC.zstdSkippable],
] as const;

async function nextMagic(
  input: Input,
): Promise<'frame' | 'legacy' | 'skippable' | 'prefix' | 'none' | 'other'> {
  const whole = await input.fill(4);
  const head = input.peek(4);
  if (head.length === 0) return 'none';
  for (const [name, magic] of MAGICS) {
    const mask = name === 'skippable' ? 0xf0 : 0xff;
    if (head.every((byte, index) => (index === 0 ? byte & mask : byte) === magic[index])) {
      return whole ? name : 'prefix';
    }
  }
  return 'other';
}

/** Makes `count` bytes available, for which the frame has no end yet. */
async function need(input: Input, count: number): Promise<void> {
  if (!(await input.fill(count))) throw truncated('lz4', input.offset + input.available);
}

function peekWord(input: Input): number {
  return new DataView(input.bytes.buffer, input.bytes.byteOffset + input.start).getUint32(0, true);
}

async function takeWord(input: Input): Promise<number> {
  await need(input, 4);
  const value = peekWord(input);
  input.start += 4;
  return value;
}

interface FrameHeader {
  readonly linked: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly contentBytes: bigint | null;
  readonly blockBytes: number;
}

async function takeHeader(input: Input): Promise<FrameHeader> {
  const { offset } = input;
  await need(input, 2);
  const [flags = 0, blocks = 0] = input.peek(2);
  const hasSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  const length = 2 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  await need(input, length + 1);
  const bytes = input.peek(length + 1);
  if (((new Xxh32().update(bytes.subarray(0, length)).digest() >> 8) & 0xff) !== bytes[length]) {
    throw fault('CORRUPT', 'lz4', offset, 'header checksum differs');
  }
  const size = (blocks >> 4) & 7;
  if (flags >> 6 !== 1 || (flags & 0x02) !== 0 || (blocks & 0x8f) !== 0 || size < 4) {
    throw fault('UNSUPPORTED', 'lz4', offset, 'has an unknown version, flag or block size');
  }
  if (hasDictionary) throw fault('UNSUPPORTED', 'lz4', offset, 'needs a dictionary');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  input.start += length + 1;
  return {
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
    contentBytes: hasSize ? view.getBigUint64(2, true) : null,
    blockBytes: 2 ** (8 + 2 * size),
  };
}

async function* decodeFrame(input: Input): Chunks {
  const header = await takeHeader(input);
  const limit = HISTORY_BYTES + header.blockBytes;
  const output = new Uint8Array(limit);
  const content = new Xxh32();
  let history = 0;
  let total = 0n;
  for (;;) {
    const { offset } = input;
    const word = await takeWord(input);
    if (word === 0) break;
    const stored = word >= 0x8000_0000;
    const size = word % 0x8000_0000;
    if (size > header.blockBytes) throw fault('CORRUPT', 'lz4', offset, 'block is larger than allowed');
    // Of a block that is cut short, what is there is decoded all the same.
    const whole = await input.fill(size + (header.blockChecksums ? 4 : 0));
    const data = input.peek(size);
    const checksum = header.blockChecksums && whole ? new Xxh32().update(data).digest() : null;
    let result = { end: HISTORY_BYTES + data.length, valid: true };
    if (stored) output.set(data, HISTORY_BYTES);
    else result = decodeLz4Block(data, output, HISTORY_BYTES, limit, HISTORY_BYTES - history);
    const chunk = output.subarray(HISTORY_BYTES, result.end);
    if (header.contentChecksum) content.update(chunk);
    total += BigInt(chunk.length);
    input.start += data.length;
    const expected = checksum === null ? null : await takeWord(input);
    if (chunk.length > 0) yield chunk;
    if (!whole) throw truncated('lz4', input.offset + input.available);
    if (!result.valid) throw fault('CORRUPT', 'lz4', offset, 'block is damaged');
    if (expected !== checksum) throw fault('CORRUPT', 'lz4', offset, 'block checksum differs');
    if (header.linked) {
      history = Math.min(HISTORY_BYTES, history + chunk.length);
      output.copyWithin(HISTORY_BYTES - history, result.end - history, result.end);
    }
  }
  const { offset } = input;
  if (header.contentChecksum && (await takeWord(input)) !== content.digest()) {
    throw fault('CORRUPT', 'lz4', offset, 'content checksum differs');
  }
  if (header.contentBytes !== null && header.contentBytes !== total) {
    throw fault('CORRUPT', 'lz4', offset, 'content size differs');
  }
}

/** A block of the legacy format never grows by more than this. */
const LEGACY_STORED_BYTES = LEGACY_BLOCK_BYTES + Math.floor(LEGACY_BLOCK_BYTES / 255) + 16;

async function* decodeLegacy(input: Input): Chunks {
  const output = new Uint8Array(LEGACY_BLOCK_BYTES);
  for (let full = true; full;) {
    const { offset } = input;
    await need(input, 4);
    const size = peekWord(input);
    // The magic of another frame ends this one.
    if (size === FRAME || size === LEGACY || (size & 0xffff_fff0) === SKIPPABLE) return;
    if (size > LEGACY_STORED_BYTES) throw fault('CORRUPT', 'lz4', offset, 'block is larger than allowed');
    input.start += 4;
    const whole = await input.fill(size);
    const data = input.peek(size);
    const result = decodeLz4Block(data, output, 0, output.length, 0);
    input.start += data.length;
    if (result.end > 0) yield output.subarray(0, result.end);
    if (!whole) throw truncated('lz4', input.offset);
    if (!result.valid) throw fault('CORRUPT', 'lz4', offset, 'block is damaged');
    full = result.end === LEGACY_BLOCK_BYTES;
  }
}
