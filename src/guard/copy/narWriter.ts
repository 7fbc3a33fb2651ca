import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { stateNotWritten } from '../../ledger/stateDir.ts';
import type { ByteString } from '../../model/bytes.ts';
import { narHashText } from '../../nix/narHash.ts';
import { TreeNar } from '../../sources/treeNar.ts';

const CHUNK_BYTES = 1024 * 1024;
const MODE = 0o600;

/** What was written. */
interface Written {
  /** `sha256:<nix32>` */
  readonly narHash: string;
  /** Bytes. */
  readonly narSize: number;
}

/** Writes trees as NARs, one after another, and hashes what it writes. */
export class NarWriter {
  // for most paths allocating them would take longer than all else
  readonly #buffers = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)] as const;

  /**
   * @param path of the tree on disk
   * @param file to be made; it must not be there
   * @throws NarScanError TREE_NOT_SERIALISABLE, STATE_NOT_WRITTEN; what the signal was aborted with
   */
  async write(path: ByteString, file: string, signal: AbortSignal): Promise<Written> {
    // signals are seen between the turns of the event loop only
    await turn();
    signal.throwIfAborted();
    using source = new TreeNar(path);
    const [buffer] = this.#buffers;
    const count = source.read(buffer, 0, buffer.length);
    try {
      if (count === buffer.length) return await this.#writeLong(source, file, signal);
      const bytes = buffer.subarray(0, count);
      writeFileSync(file, bytes, { flag: 'wx', mode: MODE });
      return { narHash: narHashText(createHash('sha256').update(bytes).digest()), narSize: count };
    } catch (error) {
      throw signal.aborted ? signal.reason : stateNotWritten(file, error);
    }
  }

  /** A NAR whose first chunk is in the first buffer: one is read into and hashed while the other is written. */
  async #writeLong(source: TreeNar, file: string, signal: AbortSignal): Promise<Written> {
    const hash = createHash('sha256');
    await using output = await open(file, 'wx', MODE);
    let writing: Promise<unknown> = Promise.resolve();
    let narSize = 0;
    try {
      for (let next = 0, count = CHUNK_BYTES; count > 0; next = 1 - next) {
        const bytes = (this.#buffers[next] ?? this.#buffers[0]).subarray(0, count);
        hash.update(bytes);
        narSize += count;
        await writing;
        signal.throwIfAborted();
        writing = output.writeFile(bytes);
        count = source.read(this.#buffers[1 - next] ?? this.#buffers[0], 0, CHUNK_BYTES);
      }
    } finally {
      // also where reading failed: nobody else would hear of its fault
      await writing;
    }
    return { narHash: narHashText(hash.digest()), narSize };
  }
}
