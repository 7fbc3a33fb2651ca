import { constants, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { DecompressLimits } from './codec.ts';
import { fault, StreamCount, trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { MAGIC } from './magic.ts';
import { PUMP_OPTIONS, ZlibPump } from './zlibPump.ts';
import {
  measureZstdFrame,
  readZstdBlock,
  readZstdHeader,
  ZSTD_BLOCK_HEADER_BYTES,
  ZSTD_CHECKSUM_BYTES,
  ZSTD_HEADER_START_BYTES,
  zstdHeaderBytes,
} from './zstdFrame.ts';
import type { ZstdFrameHeader } from './zstdFrame.ts';

/** A frame that is short on both sides is decoded at once: a stream a frame is far slower. */
const SMALL_INPUT_BYTES = 64 * 1024;
const SMALL_OUTPUT_BYTES = 1024 * 1024;

/** Blocks are gathered to pieces of at least this size; so many pieces wait while one is decoded. */
const PIECE_BYTES = 256 * 1024;
const BLOCK_ROOM_BYTES = 160 * 1024;
const PIECES_AHEAD = 2;

/**
 * Decodes a zstd file (RFC 8878): frames and skippable frames in a row. Every frame is walked here
 * up to its last block, since node:zlib drops what follows a frame and, in Node 22, takes a
 * truncated frame for a whole one. Dictionaries are not supported. Checksums are checked.
 */
export async function* decodeZstd(
  input: Input,
  limits: DecompressLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const streams = new StreamCount('zstd', limits.streams);
  for (let first = true; ; first = false) {
    const next = await nextFrame(input);
    if (next === 'none' && !first) return;
    if (next === 'none' || next === 'prefix') throw truncated('zstd', input.offset + input.available);
    if (next === 'other') {
      throw first
        ? fault('CORRUPT', 'zstd', 0, 'does not begin as the format does')
        : trailing('zstd', input.offset);
    }
    streams.begins(input.offset);
    if (next === 'skippable') await skipFrame(input);
    else yield* decodeFrame(input, limits);
  }
}

async function nextFrame(input: Input): Promise<'frame' | 'skippable' | 'prefix' | 'none' | 'other'> {
  const whole = await input.fill(4);
  const head = input.peek(4);
  if (head.length === 0) return 'none';
  if (head.every((byte, index) => byte === MAGIC.zstd[index])) return whole ? 'frame' : 'prefix';
  const isSkippable = head.every((byte, index) =>
    index === 0 ? (byte & 0xf0) === 0x50 : byte === MAGIC.zstdSkippable[index],
  );
  if (isSkippable) return whole ? 'skippable' : 'prefix';
  return 'other';
}

async function skipFrame(input: Input): Promise<void> {
  if (!(await input.fill(8))) throw truncated('zstd', input.offset + input.available);
  const size = new DataView(input.bytes.buffer, input.bytes.byteOffset + input.start).getUint32(4, true);
  input.start += 8;
  if (!(await input.skip(size))) throw truncated('zstd', input.offset);
}

async function* decodeFrame(
  input: Input,
  limits: DecompressLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!(await input.fill(ZSTD_HEADER_START_BYTES))) throw truncated('zstd', input.offset + input.available);
  const headerBytes = zstdHeaderBytes(input.peek(ZSTD_HEADER_START_BYTES));
  if (!(await input.fill(headerBytes))) throw truncated('zstd', input.offset + input.available);
  const header = readZstdHeader(input.peek(headerBytes));
  if (header.reserved) throw fault('UNSUPPORTED', 'zstd', input.offset, 'has a reserved bit set');
  if (header.needsDictionary) throw fault('UNSUPPORTED', 'zstd', input.offset, 'needs a dictionary');
  if (header.windowBytes > 2 ** limits.zstdWindowLog) {
    throw fault('MEMORY', 'zstd', input.offset, `needs a window of ${header.windowBytes} bytes`);
  }
  await input.fill(SMALL_INPUT_BYTES);
  const head = input.peek(SMALL_INPUT_BYTES);
  const size = measureZstdFrame(head, headerBytes, header);
  let pieceBytes = PIECE_BYTES;
  if (size !== null && size.outputBytes <= SMALL_OUTPUT_BYTES) {
    const output = decodeSmall(head.subarray(0, size.bytes));
    if (output !== null) {
      input.start += size.bytes;
      if (output.length > 0) yield output;
      return;
    }
    pieceBytes = 1; // block by block: node:zlib gives nothing of the piece in which it fails
  }
  yield* decodeLarge(input, headerBytes, header, limits, pieceBytes);
}

/** Decodes a whole frame; null: it is damaged. */
function decodeSmall(frame: Uint8Array): Uint8Array | null {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: SMALL_OUTPUT_BYTES });
  } catch {
    return null; // the stream decoder then gives out what there is, and finds the same fault
  }
}

async function* decodeLarge(
  input: Input,
  headerBytes: number,
  header: ZstdFrameHeader,
  limits: DecompressLimits,
  pieceBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const start = input.offset;
  const params = { [constants.ZSTD_d_windowLogMax]: limits.zstdWindowLog };
  const pump = new ZlibPump(createZstdDecompress({ ...PUMP_OPTIONS, params }));
  let failure: { readonly error: unknown } | null = null;
  const feeding = feedFrame(input, pump, headerBytes, header, pieceBytes)
    .catch((error: unknown) => {
      failure = { error };
    })
    .finally(() => pump.pause());
  let decoded = 0;
  try {
    for (let chunk = await pump.read(true); chunk !== null; chunk = await pump.read(true)) {
      decoded += chunk.length;
      yield chunk;
    }
  } finally {
    pump.close(); // ends the feeding too, where it has not ended by itself
    await feeding;
  }
  if (pump.error !== null) throw fault('CORRUPT', 'zstd', start + pump.used, pump.error.message);
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
  if (pump.used !== input.offset - start || (header.contentBytes ?? decoded) !== decoded) {
    throw fault('CORRUPT', 'zstd', start + pump.used, 'the frame ends elsewhere than its blocks say');
  }
}

/** Walks one frame and hands its blocks to the decoder, a few pieces ahead of what is read from it. */
async function feedFrame(
  input: Input,
  pump: ZlibPump,
  headerBytes: number,
  header: ZstdFrameHeader,
  pieceBytes: number,
): Promise<void> {
  const pieces = Array.from(
    { length: PIECES_AHEAD + 1 },
    () => new Uint8Array(PIECE_BYTES + BLOCK_ROOM_BYTES),
  );
  let turn = 0;
  let filled = 0;
  const append = (count: number): void => {
    pieces[turn]?.set(input.peek(count), filled);
    filled += count;
    input.start += count;
  };
  const flush = async (): Promise<void> => {
    if (filled > 0) pump.write(pieces[turn]!.subarray(0, filled));
    filled = 0;
    turn = (turn + 1) % pieces.length;
    await pump.room(PIECES_AHEAD + 1);
  };
  const need = async (count: number): Promise<void> => {
    if (await input.fill(count)) return;
    const end = input.offset + input.available;
    await flush();
    throw truncated('zstd', end);
  };
  append(headerBytes);
  for (let last = false; !last && !pump.over;) {
    await need(ZSTD_BLOCK_HEADER_BYTES);
    const block = readZstdBlock(input.bytes, input.start, header.blockMaxBytes);
    if (block.malformed) {
      const { offset } = input;
      await flush();
      throw fault('CORRUPT', 'zstd', offset, 'a block header is not one');
    }
    await need(ZSTD_BLOCK_HEADER_BYTES + block.storedBytes);
    append(ZSTD_BLOCK_HEADER_BYTES + block.storedBytes);
    ({ last } = block);
    if (filled >= pieceBytes) await flush();
  }
  await flush();
  if (header.hasChecksum && !pump.over) {
    await need(ZSTD_CHECKSUM_BYTES);
    append(ZSTD_CHECKSUM_BYTES);
    await flush(); // apart, so that a wrong checksum takes no output with it
  }
}
