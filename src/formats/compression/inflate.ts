import { constants, createInflate, createInflateRaw, inflateRawSync, inflateSync } from 'node:zlib';
import type { StreamCodec } from './codec.ts';
import type { Input } from './input.ts';
import { PARTIAL_OUTPUT_BYTES, PUMP_OPTIONS } from './zlibPump.ts';
import { decodeZlibStream } from './zlibStream.ts';

/** A stream that ends within this is decoded at once: a decoder of its own a stream is 50 times slower. */
const SMALL_INPUT_BYTES = 32 * 1024;
const SMALL_OUTPUT_BYTES = 1024 * 1024;

const PARTIAL = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: PARTIAL_OUTPUT_BYTES };

/**
 * Decodes one stream of deflate data (RFC 1951), for the codec `zlib` with its header and checksum
 * (RFC 1950), and leaves `input` right behind its end.
 */
export async function* inflate(
  codec: StreamCodec,
  input: Input,
): AsyncGenerator<Uint8Array, void, undefined> {
  const wrapped = codec === 'zlib';
  await input.fill(SMALL_INPUT_BYTES);
  const small = inflateSmall(wrapped, input.peek(SMALL_INPUT_BYTES));
  if (small !== null) {
    input.start += small.used;
    if (small.output.length > 0) yield small.output;
    return;
  }
  const decoder = wrapped ? createInflate(PUMP_OPTIONS) : createInflateRaw(PUMP_OPTIONS);
  const decodePart = wrapped ? inflateSync : inflateRawSync;
  yield* decodeZlibStream(codec, decoder, input, (part) => decodePart(part, PARTIAL));
}

/**
 * Decodes data that is short on both sides, at once.
 *
 * @param wrapped zlib, else raw deflate data
 * @returns null where it is long, ends outside `data`, or is damaged
 */
export function inflateSmall(
  wrapped: boolean,
  data: Uint8Array,
): { readonly used: number; readonly output: Uint8Array } | null {
  const options = { info: true, maxOutputLength: SMALL_OUTPUT_BYTES };
  try {
    const result = (wrapped ? inflateSync(data, options) : inflateRawSync(data, options)) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { used: result.engine.bytesWritten, output: result.buffer };
  } catch {
    return null; // the stream decoder then gives out what there is, and finds the same fault
  }
}
