import type { DecompressLimits } from './codec.ts';
import { trailing, truncated } from './fault.ts';
import type { Input } from './input.ts';
import { LzmaDecoder } from './liblzma/decoder.ts';
import { decodeMember } from './liblzma/member.ts';
import { MAGIC, matchMagic } from './magic.ts';
import { fault, StreamCount } from './fault.ts';

/**
 * Decodes an .lz file (RFC draft-diaz-lzip): members in a row, each with CRC32 and sizes, which
 * liblzma checks. Members are walked here because liblzma ignores whatever follows the last one.
 */
export async function* decodeLzip(
  input: Input,
  limits: DecompressLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  let first = true;
  const streams = new StreamCount('lzip', limits.streams);
  const decoder = new LzmaDecoder(limits.memoryBytes);
  try {
    for (;;) {
      const next = await matchMagic(input, MAGIC.lzip);
      if (next === 'none' && !first) return;
      if (next === 'none' || next === 'prefix') throw truncated('lzip', input.offset + input.available);
      if (next === 'other') {
        // liblzma would take other bytes for lzma-alone or xz
        throw first
          ? fault('CORRUPT', 'lzip', 0, 'does not begin as the format does')
          : trailing('lzip', input.offset);
      }
      first = false;
      streams.begins(input.offset);
      yield* decodeMember('lzip', decoder, input);
    }
  } finally {
    decoder.close();
  }
}
