import { setImmediate } from 'node:timers/promises';
import type { StreamCodec } from '../../formats/compression/codec.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Body } from '../uploads.ts';
import { Turns } from '../turns.ts';
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
/** What is unpacked before it is looked whether others wait. */
const PIECE_BYTES = 16 * 1024;
/** One body is unpacked at a time, and small ones do not wait behind large ones. */
const unpacking = new Turns();

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
  if (codec === 'none') return bytes;
  const lane = bytes.length <= PIECE_BYTES ? 'small' : 'large';
  return await unpacking.take(lane, async () => await unpacked(codec, bytes, most));
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
  const turn = new Turn();
  const limits = { memoryBytes: LIMITS.encodingMemoryBytes, streams: LIMITS.encodingStreams };
  const pieces: Buffer[] = [];
  let count = 0;
  try {
    for await (const piece of decompress(codec, turn.pieces(packed), limits)) {
      count += piece.length;
      if (count > most) throw new NarScanError('UPLOAD_TOO_LARGE', `it unpacks to more than ${most} bytes`);
      pieces.push(Buffer.from(piece));
      await turn.pass();
    }
  } catch (error) {
    if (!(error instanceof NarScanError) || !error.code.startsWith('COMPRESSION_')) throw error;
    throw new NarScanError('UPLOAD_ENCODING', `${codec}: ${error.message}`, { cause: error });
  }
  return Buffer.concat(pieces, count);
}

/** Lets other requests be served when enough time has gone by, however little came of it. */
class Turn {
  #began = performance.now();

  async pass(): Promise<void> {
    if (performance.now() - this.#began < LIMITS.encodingTurnMilliseconds) return;
    await setImmediate();
    this.#began = performance.now();
  }

  async *pieces(packed: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < packed.length; at += PIECE_BYTES) {
      yield packed.subarray(at, at + PIECE_BYTES);
      await this.pass();
    }
  }
}
