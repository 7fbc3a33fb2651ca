import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
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

/**
 * Writes a tree as a NAR, packed by zstd, to a new file that outlives a crash.
 *
 * @param most bytes that the file may have
 * @throws NarScanError TREE_NOT_SERIALISABLE, QUARANTINE_FULL; errors of the system
 */
export async function writeNar(tree: ByteString, file: string, most: number): Promise<WrittenNar> {
  const hash = createHash('sha256');
  let narSize = 0;
  let fileSize = 0;
  using source = new TreeNar(tree);
  function* pieces(): Generator<Buffer> {
    for (;;) {
      const memory = Buffer.allocUnsafe(LIMITS.chunkBytes);
      const count = source.read(memory, 0, memory.length);
      if (count === 0) return;
      const piece = memory.subarray(0, count);
      hash.update(piece);
      narSize += count;
      yield piece;
    }
  }
  async function* bounded(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of packed) {
      fileSize += piece.length;
      if (fileSize > most) throw new NarScanError('QUARANTINE_FULL', 'the quarantine is full');
      yield piece;
    }
  }
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  await pipeline(
    Readable.from(pieces(), { objectMode: false }),
    createZstdCompress({ ...CHUNK, params }),
    bounded,
    createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }),
  );
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
