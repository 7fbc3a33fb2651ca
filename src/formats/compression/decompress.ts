import { decodeBrotli } from './brotli.ts';
import { decodeBzip2 } from './bzip2.ts';
import { limitsOf } from './codec.ts';
import type { DecompressLimits, DecompressOptions, StreamCodec } from './codec.ts';
import { decodeCompress } from './compress.ts';
import { decodeGzip } from './gzip.ts';
import { Input } from './input.ts';
import { decodeLz4 } from './lz4.ts';
import { decodeLzip } from './lzip.ts';
import { decodeLzma } from './lzma.ts';
import { decodeXz } from './xz.ts';
import { decodeSnappy } from './snappy.ts';
import { decodeDeflate, decodeZlib } from './zlib.ts';
import { decodeZstd } from './zstd.ts';

type Decoder = (input: Input, limits: DecompressLimits) => AsyncGenerator<Uint8Array, void, undefined>;

async function* passOn(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  while (await input.fill(1)) {
    const chunk = input.peek();
    input.start = input.end;
    yield chunk;
  }
}

const DECODERS: Readonly<Record<StreamCodec, Decoder>> = {
  none: passOn,
  xz: decodeXz,
  zstd: decodeZstd,
  gzip: decodeGzip,
  br: decodeBrotli,
  lzip: decodeLzip,
  lzma: decodeLzma,
  bzip2: decodeBzip2,
  lz4: decodeLz4,
  compress: decodeCompress,
  zlib: decodeZlib,
  deflate: decodeDeflate,
  snappy: decodeSnappy,
};

/**
 * Decodes a whole compressed stream: every xz stream and its padding, every zstd and lz4 frame
 * (skippable ones too), every gzip and lzip member, every bzip2 stream; of brotli, lzma-alone, zlib
 * and raw deflate the one stream, behind whose end COMPRESSION_TRAILING points. snappy: its frames.
 *
 * Memory is bounded whatever the input. An input chunk is used only until the next one is pulled,
 * an output chunk is valid only until the next one is asked for. Chunking of the input changes
 * neither the decoded bytes nor the error. What was decoded before a fault is yielded first.
 *
 * An empty input is a truncated one, except for `none`. A `compress` stream has neither length nor
 * checksum: where it was cut short cannot be told from its end, nor of snappy between two chunks.
 *
 * @throws NarScanError with `offset` in the compressed stream: COMPRESSION_TRUNCATED,
 *   COMPRESSION_CORRUPT, COMPRESSION_TRAILING (something else follows the end),
 *   COMPRESSION_MEMORY (dictionary or window over the limit), COMPRESSION_UNSUPPORTED.
 *   What the input itself throws passes through untouched, after what was decoded before it.
 */
export async function* decompress(
  codec: StreamCodec,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new Input(source);
  try {
    yield* DECODERS[codec](input, limitsOf(options));
  } catch (error) {
    if (input.failure === null) throw error;
  } finally {
    await input.close();
  }
  if (input.failure !== null) throw input.failure.error;
}
