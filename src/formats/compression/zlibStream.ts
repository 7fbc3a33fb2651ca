import type { StreamCodec } from './codec.ts';
import { fault, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { ZlibPump } from './zlibPump.ts';
import type { ZlibDecoder } from './zlibPump.ts';

/** Pieces have a fixed size, so that what comes out before a fault depends on nothing else. */
const PIECE_BYTES = 64 * 1024;

/**
 * Decodes one stream with a decoder of node:zlib and leaves `input` right behind its end.
 *
 * When it fails, node:zlib gives nothing of the piece in which it does. For the first piece, and
 * so for every small file, what lies before the fault is found all the same; later up to one
 * piece of it is lost.
 *
 * @param decodePart decodes a beginning of the stream as far as it goes; throws if it is damaged
 */
export async function* decodeZlibStream(
  codec: StreamCodec,
  decoder: ZlibDecoder,
  input: Input,
  decodePart: (part: Uint8Array) => Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pump = new ZlibPump(decoder);
  const start = input.offset;
  let decoded = 0;
  try {
    while (!pump.ended) {
      const whole = (await input.fill(PIECE_BYTES)) || input.available > 0;
      const piece = input.peek(PIECE_BYTES);
      if (whole) pump.write(piece);
      else pump.finish(); // only now does a stream that ends with the input say so
      for (let chunk = await pump.read(!whole); chunk !== null; chunk = await pump.read(!whole)) {
        decoded += chunk.length;
        yield chunk;
      }
      // what it wants no more of is behind its end, of which it may tell only when asked again
      if (!pump.over && start + pump.used < input.offset + piece.length) {
        pump.finish();
        for (let chunk = await pump.read(true); chunk !== null; chunk = await pump.read(true)) {
          decoded += chunk.length;
          yield chunk;
        }
      }
      if (pump.ended) {
        input.start += start + pump.used - input.offset;
      } else if (!whole) {
        throw truncated(codec, input.offset);
      } else if (pump.error !== null) {
        const first = input.offset === start ? goodPart(piece, decodePart) : null;
        if (first !== null && first.output.length > decoded) yield first.output.subarray(decoded);
        throw fault('CORRUPT', codec, input.offset + (first?.length ?? 0), pump.error.message);
      } else {
        input.start += piece.length;
      }
    }
  } finally {
    pump.close();
  }
}

/** The longest beginning that is not damaged, by bisection, and what it decodes to. */
function goodPart(
  bytes: Uint8Array,
  decodePart: (part: Uint8Array) => Uint8Array,
): { readonly length: number; readonly output: Uint8Array } {
  let length = 0;
  let output = new Uint8Array(0);
  for (let bad = bytes.length; bad - length > 1;) {
    const middle = (length + bad) >>> 1;
    try {
      output = new Uint8Array(decodePart(bytes.subarray(0, middle)));
      length = middle;
    } catch {
      bad = middle;
    }
  }
  return { length, output };
}
