import { crc32 } from 'node:zlib';
import { decompress } from '../compression/decompress.ts';
import { streamOf } from '../container.ts';
import type { ByteStream } from '../container.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt } from '../zlib/piece.ts';

/** A run of LZMA2 chunks without any header around it. */
export interface Lzma2Run {
  readonly offset: number;
  /** Packed bytes, the end mark with them. */
  readonly bytes: number;
  readonly decodedBytes: number;
}

const CHUNK_HEADER_BYTES = 6;
const LARGEST_DICTIONARY = 64 * 1024 * 1024;

/**
 * Walks LZMA2 chunks up to their end mark (xz, doc and liblzma's lzma2_decoder.c): each says how
 * long it is.
 *
 * @returns where the run ends, or what is wrong with it
 */
export function measureLzma2(reader: RangeReader, offset: number): Lzma2Run | 'truncated' | 'corrupt' {
  let decodedBytes = 0;
  for (let at = offset; at < reader.size;) {
    const head = bytesAt(reader, at, CHUNK_HEADER_BYTES);
    const control = byteAt(head, 0);
    if (control === 0) return { offset, bytes: at + 1 - offset, decodedBytes };
    if (control > 2 && control < 0x80) return 'corrupt';
    const low = BIG_ENDIAN.u16(head, 1) + 1;
    if (control < 0x80) {
      decodedBytes += low;
      at += 3 + low;
    } else {
      decodedBytes += low + (control & 0x1f) * 0x1_0000;
      at += BIG_ENDIAN.u16(head, 3) + 1 + (control < 0xc0 ? 5 : 6); // new properties take a byte
    }
  }
  return 'truncated';
}

/** Decodes a run. @throws NarScanError COMPRESSION_* (as of an xz stream around it), CONTAINER_UNREADABLE */
export function decodeLzma2(reader: RangeReader, run: Lzma2Run): ByteStream {
  return decompress('xz', xzOf(reader, run));
}

/** An xz file of one block without a check (xz, doc/xz-file-format.txt): what liblzma decodes here. */
async function* xzOf(reader: RangeReader, run: Lzma2Run): AsyncGenerator<Uint8Array, void, undefined> {
  const flags = Buffer.from([0, 0]);
  const block = withCrc(Buffer.from([2, 0, 0x21, 1, dictionaryCode(run.decodedBytes), 0, 0, 0]));
  const sizes = [1, block.length + run.bytes, run.decodedBytes].flatMap(variableLength);
  const index = withCrc(padded(Buffer.from([0, ...sizes])));
  const backward = Buffer.alloc(4);
  backward.writeUInt32LE(index.length / 4 - 1);
  const footer = Buffer.concat([backward, flags]);
  yield Buffer.concat([Buffer.from('\xfd7zXZ\0', 'latin1'), withCrc(flags), block]);
  yield* streamOf(reader, run.offset, run.bytes);
  yield Buffer.concat([Buffer.alloc(-run.bytes & 3), index, crcOf(footer), footer, Buffer.from('YZ')]);
}

/** The smallest dictionary of 2^n or 2^n + 2^(n-1) bytes that no distance can go beyond. */
function dictionaryCode(bytes: number): number {
  const needed = Math.min(bytes, LARGEST_DICTIONARY);
  let code = 0;
  while ((2 + (code & 1)) * 2 ** ((code >> 1) + 11) < needed) code += 1;
  return code;
}

function variableLength(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80);
  return [...bytes, left];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

function crcOf(bytes: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(bytes));
  return sum;
}

function withCrc(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, crcOf(bytes)]);
}
