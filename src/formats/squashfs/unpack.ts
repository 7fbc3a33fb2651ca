import { inflateSync } from 'node:zlib';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { StreamCodec } from '../compression/codec.ts';
import { decompress } from '../compression/decompress.ts';
import { decodeLz4Block } from '../compression/lz4Block.ts';
import { COMPRESSION } from './superblock.ts';

/** What came out of one block, and what is wrong with it. */
export interface Unpacked {
  /** All that could be decoded, also of a damaged block. */
  readonly bytes: Uint8Array;
  readonly error: NarScanError | null;
}

/** All but lz4 pack each block as a whole file of their own format. */
const CODECS: Readonly<Partial<Record<number, StreamCodec>>> = {
  [COMPRESSION.zlib]: 'zlib',
  [COMPRESSION.lzma]: 'lzma',
  [COMPRESSION.xz]: 'xz',
  [COMPRESSION.zstd]: 'zstd',
};

const MEMORY = { memoryBytes: LIMITS.squashfsMemoryBytes, zstdWindowLog: LIMITS.squashfsWindowLog };

/**
 * Decodes one packed block of an image.
 *
 * @param packed is used until this resolves
 * @param most bytes that a block may have; more is a fault of it
 */
export async function unpack(compression: number, packed: Uint8Array, most: number): Promise<Unpacked> {
  if (compression === COMPRESSION.lz4) return unpackLz4(packed, most);
  const whole = compression === COMPRESSION.zlib ? inflateWhole(packed, most) : null;
  if (whole !== null) return { bytes: whole, error: null };
  const parts: Uint8Array[] = [];
  let room = most;
  let error: NarScanError | null = null;
  try {
    for await (const chunk of decompress(CODECS[compression] ?? 'none', [packed], MEMORY)) {
      parts.push(Buffer.from(chunk.subarray(0, room)));
      if (chunk.length > room) {
        error = blockFault(`holds more than ${most} bytes`);
        break;
      }
      room -= chunk.length;
    }
  } catch (thrown) {
    if (!(thrown instanceof NarScanError)) throw thrown;
    error = thrown;
  }
  return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), error };
}

/** A zlib stream at once; null: it is damaged, too long, or something follows it. */
function inflateWhole(packed: Uint8Array, most: number): Uint8Array | null {
  try {
    // a byte more than there should be, so that its end is seen within one piece
    const options = { chunkSize: most + 1, maxOutputLength: most, info: true };
    const { buffer, engine } = inflateSync(packed, options) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return engine.bytesWritten === packed.length ? buffer : null;
  } catch {
    return null; // the decoder of streams then gives out what there is, and finds the same fault
  }
}

function unpackLz4(packed: Uint8Array, most: number): Unpacked {
  const room = new Uint8Array(most);
  const { end, valid } = decodeLz4Block(packed, room, 0, most, 0);
  return { bytes: room.subarray(0, end), error: valid ? null : blockFault('is no whole lz4 block') };
}

function blockFault(what: string): NarScanError {
  return new NarScanError('CONTAINER_CORRUPT', `a packed block of the squashfs image ${what}`);
}
