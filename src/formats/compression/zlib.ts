import { fault, trailing, truncated } from './fault.ts';
import { inflate } from './inflate.ts';
import type { Input } from './input.ts';
import { isZlibHeader, ZLIB_HEADER_BYTES } from './magic.ts';

const FLAG_DICTIONARY = 0x20;

/**
 * Decodes one zlib stream (RFC 1950) with its Adler-32. What follows its end is a fault at that
 * place. Preset dictionaries are not supported.
 */
export async function* decodeZlib(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  if (!(await input.fill(ZLIB_HEADER_BYTES))) throw truncated('zlib', input.offset + input.available);
  const [method = 0, flags = 0] = input.peek(ZLIB_HEADER_BYTES);
  if (!isZlibHeader(method, flags)) throw fault('CORRUPT', 'zlib', 0, 'does not begin as the format does');
  if ((flags & FLAG_DICTIONARY) !== 0) throw fault('UNSUPPORTED', 'zlib', 0, 'needs a dictionary');
  yield* inflate('zlib', input);
  if (await input.fill(1)) throw trailing('zlib', input.offset);
}

/**
 * Decodes one stream of raw deflate data (RFC 1951), which has an end but no checksum. What follows
 * its end is a fault at that place.
 */
export async function* decodeDeflate(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  yield* inflate('deflate', input);
  if (await input.fill(1)) throw trailing('deflate', input.offset);
}
