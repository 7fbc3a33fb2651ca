import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { narHashText } from '../../nix/narHash.ts';
import { TreeNar } from '../../sources/treeNar.ts';

/** Each worker of zlib gives its output in pieces of this size. */
const CHUNK = { chunkSize: LIMITS.chunkBytes };

interface WrittenNar {
  /** Of the NAR before it was packed. */
  readonly narHash: string;
  readonly narSize: number;
  /** Bytes on disk. */
  readonly fileSize: number;
}

/** Where the NAR of an output comes from. */
export interface NarSource {
  /**
   * Writes it, packed by zstd, to a new file that outlives a crash.
   * @param most bytes that the file may have
   * @throws NarScanError QUARANTINE_FULL, or what tells why there is no NAR; errors of the system
   */
  write(file: string, most: number): Promise<WrittenNar>;
}

/** The NAR of what lies on disk, which must be a tree that has one: else TREE_NOT_SERIALISABLE is thrown. */
export function narOfTree(tree: ByteString): NarSource {
  return { write: async (file, most) => await writeNar(tree, file, most) };
}

async function writeNar(tree: ByteString, file: string, most: number): Promise<WrittenNar> {
  using source = new TreeNar(tree);
  return await packNar(piecesOf(source), file, most);
}

function* piecesOf(source: TreeNar): Generator<Buffer> {
  for (;;) {
    const memory = Buffer.allocUnsafe(LIMITS.chunkBytes);
    const count = source.read(memory, 0, memory.length);
    if (count === 0) return;
    yield memory.subarray(0, count);
  }
}

/**
 * Packs the bytes of a NAR by zstd to a new file that outlives a crash.
 * @param pieces of which none changes any more
 * @param most bytes that the file may have
 * @throws NarScanError QUARANTINE_FULL; errors of the system, and what `pieces` throw
 */
export async function packNar(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  file: string,
  most: number,
): Promise<WrittenNar> {
  const hash = createHash('sha256');
  let narSize = 0;
  let fileSize = 0;
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      hash.update(piece);
      narSize += piece.length;
      yield piece;
    }
  }
  const target = await open(file, 'wx', 0o600);
  try {
    const params = { [constants.ZSTD_c_checksumFlag]: 1 };
    const packing = createZstdCompress({ ...CHUNK, params });
    await pipeline(Readable.from(hashed(), { objectMode: false }), packing, async (packed) => {
      for await (const piece of packed as AsyncIterable<Buffer>) {
        fileSize += piece.length;
        if (fileSize > most)
          throw new NarScanError('QUARANTINE_FULL', `there is no room for more than ${most} bytes`);
        await target.writeFile(piece);
      }
    });
    await target.sync();
  } finally {
    // not left to a stream, which closes when it likes: until then the room is not free again
    await target.close();
  }
  return { narHash: narHashText(hash.digest()), narSize, fileSize };
}

/** The NarHash of a packed NAR. @throws the error of the system or of zlib */
export async function hashOfNar(file: string): Promise<string> {
  const hash = createHash('sha256');
  const sink = new Writable({
    write(piece: Buffer, _encoding, done) {
      hash.update(piece);
      done();
    },
  });
  await pipeline(createReadStream(file), createZstdDecompress(CHUNK), sink);
  return narHashText(hash.digest());
}

/** A packed NAR as a stream. @param packed as it is, or unpacked */
export function readNar(file: string, packed: boolean): Readable {
  const source = createReadStream(file);
  if (packed) return source;
  const unpacked = createZstdDecompress(CHUNK);
  source.on('error', (error) => unpacked.destroy(error));
  return source.pipe(unpacked);
}
