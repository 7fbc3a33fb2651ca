import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { sniffNar } from '../../formats/nar/sniff.ts';
import { NarScanError } from '../../model/errors.ts';
import { narHashText } from '../../nix/narHash.ts';

const READ_BYTES = 256 * 1024;

/**
 * Computes FileHash of a body while it comes; but not of what begins as a NAR: its FileHash is its NarHash, which whoever
 * searches it computes.
 */
export class FileHasher {
  #hash: Hash | null | undefined = undefined;

  /** The next bytes of the body. */
  update(bytes: Uint8Array): void {
    if (this.#hash === undefined) this.#hash = sniffNar(bytes) === 'nar' ? null : createHash('sha256');
    this.#hash?.update(bytes);
  }

  /** `sha256:<nix32>` of the whole body; null: it begins as a NAR. */
  finish(): string | null {
    if (this.#hash === null) return null;
    return narHashText((this.#hash ?? createHash('sha256')).digest());
  }
}

/** `sha256:<nix32>` of what lies in a file. @throws NarScanError STATE_UNREADABLE */
export async function fileHashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file, { highWaterMark: READ_BYTES }), hash);
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    throw new NarScanError('STATE_UNREADABLE', `an upload cannot be read again (${code})`, { cause: error });
  }
  return narHashText(hash.digest());
}
