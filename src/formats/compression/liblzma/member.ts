import type { Codec } from '../codec.ts';
import { fault, truncated } from '../fault.ts';
import type { Fault } from '../fault.ts';
import type { Input } from '../input.ts';
import { IN_BYTES, LZMA } from './decoder.ts';
import type { LzmaDecoder } from './decoder.ts';

function faultOf(status: number): readonly [Fault, string] {
  switch (status) {
    case LZMA.MEM_ERROR:
    case LZMA.MEMLIMIT_ERROR:
      return ['MEMORY', 'needs a larger dictionary than is allowed'];
    case LZMA.OPTIONS_ERROR:
      return ['UNSUPPORTED', 'uses options or filters that are not known'];
    case LZMA.FORMAT_ERROR:
      return ['CORRUPT', 'does not begin as the format does'];
    case LZMA.DATA_ERROR:
      return ['CORRUPT', 'damaged, or a checksum differs'];
    default:
      return ['CORRUPT', `liblzma status ${status}`];
  }
}

/**
 * Decodes one xz stream, lzip member or lzma-alone file and leaves `input` right behind its end.
 * An integrity check that liblzma does not know is a fault, but only after all was decoded.
 */
export async function* decodeMember(
  codec: Codec,
  decoder: LzmaDecoder,
  input: Input,
): AsyncGenerator<Uint8Array, void, undefined> {
  const start = input.offset;
  let unchecked = false;
  let status = decoder.begin();
  while (status === LZMA.OK) {
    // Always whole pieces: what the x86 and other filters leave of the piece in which a fault lies
    // would else depend on how the stream came in.
    await input.fill(IN_BYTES);
    if (input.available === 0) {
      yield* decoder.takeOutput();
      throw truncated(codec, input.offset);
    }
    decoder.load(input.peek(IN_BYTES));
    let full = false;
    do {
      status = decoder.run();
      full = decoder.outputFull;
      if (status === LZMA.UNSUPPORTED_CHECK) {
        unchecked = true;
        status = LZMA.OK;
      } else if (status === LZMA.BUF_ERROR) {
        status = LZMA.OK; // only says that there was nothing to do
      }
      if (full || status !== LZMA.OK) yield* decoder.takeOutput();
    } while (status === LZMA.OK && (full || !decoder.inputUsed));
    input.start += decoder.consumed;
  }
  if (status !== LZMA.STREAM_END) {
    const [kind, what] = faultOf(status);
    throw fault(kind, codec, input.offset, what);
  }
  if (unchecked) throw fault('UNSUPPORTED', codec, start, 'has an integrity check that is not known');
}
