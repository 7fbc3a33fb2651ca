import { createBrotliDecompress } from 'node:zlib';
import { fault, trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { PUMP_OPTIONS, ZlibPump } from './zlibPump.ts';

/**
 * Decodes one brotli stream (RFC 7932; window at most 16 MiB by the format). It has no checksum,
 * but an end, so that a cut is always seen. node:zlib ignores what follows the end; here it is a fault.
 */
export async function* decodeBrotli(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  const pump = new ZlibPump(createBrotliDecompress(PUMP_OPTIONS));
  let before = 0;
  try {
    while (!pump.ended) {
      if (!(await input.fill(1))) break;
      pump.write(input.peek());
      for (let chunk = await pump.read(false); chunk !== null; chunk = await pump.read(false)) yield chunk;
      if (pump.error !== null) throw fault('CORRUPT', 'br', input.offset, pump.error.message);
      input.start += pump.used - before;
      before = pump.used;
    }
    if (pump.ended) throw trailing('br', input.offset);
    // The end shows only when more is written or the writing ends.
    pump.finish();
    for (let chunk = await pump.read(true); chunk !== null; chunk = await pump.read(true)) yield chunk;
    if (!pump.ended) throw truncated('br', input.offset);
  } finally {
    pump.close();
  }
}
