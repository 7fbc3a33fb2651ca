import { spawnSync } from 'node:child_process';
import type { Codec, StreamCodec } from '../../../src/formats/compression/codec.ts';
import type { DecompressOptions } from '../../../src/formats/compression/codec.ts';
import { decompress } from '../../../src/formats/compression/decompress.ts';
import { NarScanError } from '../../../src/model/errors.ts';

export interface Outcome {
  readonly bytes: Buffer;
  /** Code of the error that ended it, else null. */
  readonly code: string | null;
  readonly offset: number | null;
}

/** Gives the data in chunks of these sizes, in turn, all in one buffer that is overwritten each time. */
export function* reusedChunks(data: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  const buffer = new Uint8Array(Math.max(...sizes));
  for (let at = 0, turn = 0; at < data.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const part = data.subarray(at, at + size);
    at += part.length;
    buffer.fill(0xaa);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

export async function outcomeOf(
  codec: StreamCodec,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options?: DecompressOptions,
): Promise<Outcome> {
  const parts: Buffer[] = [];
  try {
    for await (const chunk of decompress(codec, source, options)) parts.push(Buffer.from(chunk));
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    return { bytes: Buffer.concat(parts), code: error.code, offset: error.offset };
  }
  return { bytes: Buffer.concat(parts), code: null, offset: null };
}

/** What a program writes to stdout when it is fed the data. */
export function filter(data: Uint8Array, program: string, ...args: string[]): Buffer {
  const result = spawnSync(program, args, { input: data, maxBuffer: 2 ** 30 });
  // compress(1) says 2 where the data did not become smaller, and writes it all the same
  if (result.error !== undefined || (result.status !== 0 && program !== 'compress')) {
    throw new Error(`${program} ${args.join(' ')}: ${result.error?.message ?? result.stderr.toString()}`);
  }
  return result.stdout;
}

/** Bytes that compress somewhat: words, runs and noise, always the same. */
export function sample(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let at = 0; at < length;) {
    const kind = random(4);
    const count = Math.min(length - at, 1 + random(200));
    if (kind === 0) bytes.fill(random(256), at, at + count);
    else if (kind === 1 && at > 1000) bytes.copy(bytes, at, random(at - 200), at);
    else if (kind === 2) bytes.write('/nix/store/lib/home/user/include '.repeat(7), at, count, 'latin1');
    else for (let index = 0; index < count; index += 1) bytes[at + index] = random(256);
    at += count;
  }
  return bytes;
}

export interface Writer {
  readonly name: string;
  readonly codec: Codec;
  readonly program: string;
  readonly args: readonly string[];
  /** The format has a checksum or a size that shows every change of the content. */
  readonly checked: boolean;
  /** Whole outputs of this writer may follow each other. */
  readonly joins: boolean;
}

function writer(codec: Codec, line: string, checked = true, joins = true): Writer {
  const [program = '', ...args] = line.split(' ');
  return { name: line, codec, program, args, checked, joins };
}

/** Every way of compressing that the tests use, with the program's own words. */
export const WRITERS: readonly Writer[] = [
  writer('xz', 'xz -T1 -0 --check=crc32'),
  writer('xz', 'xz -T1 -6 --check=crc64'),
  writer('xz', 'xz -T1 -1 --check=sha256 --block-size=20000'),
  writer('xz', 'xz -T2 -1 --block-size=10000'),
  writer('xz', 'xz -T1 --x86 --lzma2=preset=1'),
  writer('xz', 'xz -T1 --delta=dist=4 --lzma2=preset=1'),
  writer('xz', 'xz -T1 -1 --check=none', false),
  writer('zstd', 'zstd -q -3'),
  writer('zstd', 'zstd -q -19'),
  writer('zstd', 'zstd -q --fast=5'),
  writer('zstd', 'zstd -q -1 --no-check', false),
  writer('bzip2', 'bzip2 -1'),
  writer('bzip2', 'bzip2 -9'),
  writer('gzip', 'gzip -1'),
  writer('gzip', 'gzip -9 -n'),
  writer('br', 'brotli -q 5', false, false),
  writer('br', 'brotli -q 11 -w 16', false, false),
  writer('lz4', 'lz4 -q -1'),
  writer('lz4', 'lz4 -q -9 -BD -B4 -BX'),
  writer('lz4', 'lz4 -q -1 --no-frame-crc', false),
  writer('lzip', 'lzip -1'),
  writer('lzip', 'lzip -6 -b 100000'),
  writer('lzma', 'xz --format=lzma -1', false, false),
  writer('compress', 'compress -c -f', false, false),
  writer('compress', 'compress -c -f -b 10', false, false),
  writer('compress', 'compress -c -f -b 12', false, false),
];
