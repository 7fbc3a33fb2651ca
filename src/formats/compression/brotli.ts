import { brotliDecompressSync, constants, createBrotliDecompress } from 'node:zlib';
import { trailing } from './fault.ts';
import type { Input } from './input.ts';
import { PARTIAL_OUTPUT_BYTES, PUMP_OPTIONS } from './zlibPump.ts';
import { decodeZlibStream } from './zlibStream.ts';

const PARTIAL = {
  finishFlush: constants.BROTLI_OPERATION_PROCESS,
  maxOutputLength: PARTIAL_OUTPUT_BYTES,
};

/**
 * Decodes one brotli stream (RFC 7932; window at most 16 MiB by the format). It has no checksum,
 * but an end, so that a cut is always seen. node:zlib ignores what follows the end; here it is a fault.
 */
export async function* decodeBrotli(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = createBrotliDecompress(PUMP_OPTIONS);
  yield* decodeZlibStream('br', decoder, input, (part) => brotliDecompressSync(part, PARTIAL));
  if (await input.fill(1)) throw trailing('br', input.offset);
}
