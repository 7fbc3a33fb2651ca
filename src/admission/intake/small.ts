import { setImmediate } from 'node:timers/promises';
import type { StreamCodec } from '../../formats/compression/codec.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Body } from '../uploads.ts';
import { Arrival, expectBody } from './arrival.ts';

/** Content codings: those of HTTP, and the names that Nix gives to others (Nix: src/libstore/http-binary-cache-store.cc). */
const CODINGS: ReadonlyMap<string, StreamCodec> = new Map([
  ['', 'none'],
  ['identity', 'none'],
  ['none', 'none'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['br', 'br'],
  ['zstd', 'zstd'],
  ['xz', 'xz'],
  ['bzip2', 'bzip2'],
]);
/** Other requests are served between pieces of this size. */
const TURN_BYTES = 256 * 1024;

/**
 * Takes a body that is small, a narinfo or the like, as its sender had it before it was packed for the way.
 *
 * @param most bytes of it, packed and unpacked
 * @throws NarScanError UPLOAD_TRUNCATED, UPLOAD_LENGTH, UPLOAD_TOO_LARGE, UPLOAD_SLOW, UPLOAD_ENCODING
 */
export async function receiveSmall(body: Body, most: number): Promise<Buffer> {
  expectBody(body, most);
  const codec = CODINGS.get((body.encoding ?? '').trim().toLowerCase());
  if (codec === undefined) throw new NarScanError('UPLOAD_ENCODING', `Content-Encoding: '${body.encoding}'`);
  const bytes = await gathered(body, most);
  return codec === 'none' ? bytes : await unpacked(codec, bytes, most);
}

function gathered(body: Body, most: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    void new Arrival(body, most, {
      piece: (bytes) => void pieces.push(bytes),
      end: () => resolve(Buffer.concat(pieces)),
      fault: reject,
    });
  });
}

async function unpacked(codec: StreamCodec, packed: Buffer, most: number): Promise<Buffer> {
  const { decompress } = await import('../../formats/compression/decompress.ts');
  const pieces: Buffer[] = [];
  let count = 0;
  let turn = TURN_BYTES;
  try {
    for await (const piece of decompress(codec, [packed], { memoryBytes: LIMITS.encodingMemoryBytes })) {
      count += piece.length;
      if (count > most) throw new NarScanError('UPLOAD_TOO_LARGE', `it unpacks to more than ${most} bytes`);
      pieces.push(Buffer.from(piece));
      if (count < turn) continue;
      turn = count + TURN_BYTES;
      await setImmediate();
    }
  } catch (error) {
    if (!(error instanceof NarScanError) || !error.code.startsWith('COMPRESSION_')) throw error;
    throw new NarScanError('UPLOAD_ENCODING', `${codec}: ${error.message}`, { cause: error });
  }
  return Buffer.concat(pieces, count);
}
