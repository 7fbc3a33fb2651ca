import { LIMITS } from '../../model/limits.ts';

/** The compressions that Nix writes without an external program, by the names that narinfo files use. */
export const CODECS = [
  'none',
  'xz',
  'zstd',
  'bzip2',
  'gzip',
  'br',
  'lz4',
  'lzip',
  'lzma',
  'compress',
] as const;
export type Codec = (typeof CODECS)[number];

/** What is decoded here: also what Nix never writes, but other formats pack their pieces with. */
export type StreamCodec = Codec | 'zlib' | 'deflate' | 'snappy';

/** What a decoder may use. Going over memory is a COMPRESSION_MEMORY fault before anything is allocated. */
export interface DecompressOptions {
  /** xz, lzip, lzma: bytes of memory for one stream, nearly all of it the dictionary. */
  readonly memoryBytes?: number;
  /** zstd: log2 of the largest window. */
  readonly zstdWindowLog?: number;
  /** gzip, zstd, xz, bzip2, lz4, lzip: streams, members or frames in a row; more is COMPRESSION_UNSUPPORTED. Each has a cost beside its bytes. */
  readonly streams?: number;
}

export type DecompressLimits = Required<DecompressOptions>;

export function limitsOf(options: DecompressOptions): DecompressLimits {
  return {
    memoryBytes: options.memoryBytes ?? LIMITS.xzMemoryBytes,
    zstdWindowLog: options.zstdWindowLog ?? LIMITS.zstdWindowLog,
    streams: options.streams ?? Number.POSITIVE_INFINITY,
  };
}
