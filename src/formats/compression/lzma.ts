import type { DecompressLimits } from './codec.ts';
import { fault, trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { LzmaDecoder } from './liblzma/decoder.ts';
import { decodeMember } from './liblzma/member.ts';
import { looksLikeLzma, LZMA_HEADER_BYTES } from './magic.ts';

/**
 * Decodes an .lzma file: one stream with its size or an end marker, so that a cut is always seen;
 * it has no checksum.
 */
export async function* decodeLzma(
  input: Input,
  limits: DecompressLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!(await input.fill(LZMA_HEADER_BYTES))) throw truncated('lzma', input.offset + input.available);
  // liblzma's detection would take some other first bytes for xz or lzip.
  if (!looksLikeLzma(input.peek(LZMA_HEADER_BYTES))) {
    throw fault('CORRUPT', 'lzma', 0, 'its header is not one');
  }
  const decoder = new LzmaDecoder(limits.memoryBytes);
  try {
    yield* decodeMember('lzma', decoder, input);
  } finally {
    decoder.close();
  }
  if (await input.fill(1)) throw trailing('lzma', input.offset);
}
