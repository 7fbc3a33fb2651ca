import type { DecompressLimits } from './codec.ts';
import { StreamCount, trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { LzmaDecoder } from './liblzma/decoder.ts';
import { decodeMember } from './liblzma/member.ts';
import { MAGIC, matchMagic } from './magic.ts';

/**
 * Decodes an .xz file (tukaani.org/xz/xz-file-format.txt): streams, each followed by padding of
 * zeros in multiples of four bytes. CRC32, CRC64 and SHA-256 are checked by liblzma.
 */
export async function* decodeXz(
  input: Input,
  limits: DecompressLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const streams = new StreamCount('xz', limits.streams);
  const decoder = new LzmaDecoder(limits.memoryBytes);
  try {
    do {
      streams.begins(input.offset);
      yield* decodeMember('xz', decoder, input);
    } while (await anotherStream(input));
  } finally {
    decoder.close();
  }
}

async function anotherStream(input: Input): Promise<boolean> {
  const padding = await input.skipZeros();
  const next = await matchMagic(input, MAGIC.xz);
  if (next === 'other' || (next === 'match' && padding % 4 !== 0)) throw trailing('xz', input.offset);
  if (next === 'prefix' || padding % 4 !== 0) throw truncated('xz', input.offset);
  return next === 'match';
}
