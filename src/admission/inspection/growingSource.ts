import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { RangeReader } from '../../formats/ranges.ts';
import { type ByteSource, RunEnded } from '../../sources/byteSource.ts';
import { FileRange } from '../../sources/fileContents.ts';
import type { Growth } from '../intake/growth.ts';
import type { Pressure } from './pressure.ts';

/** How long a follower waits before it looks whether others need its thread. */
const LOOK_MS = 50;
/** How long it may have waited while others did. */
const PATIENCE_MS = 250;

/**
 * A spool as a stream of bytes, also while it is being written: reading waits for what is to come. What has come may
 * be read again at its place.
 */
export class GrowingSource implements ByteSource, Disposable {
  /** Why the stream ended before its end: what was found in it is no fact. */
  ended: 'given-up' | 'upload-failed' | Error | null = null;
  readonly length: number | null;
  readonly #fd: number;
  readonly #growth: Growth | null;
  readonly #pressure: Pressure;
  #position = 0;
  #waited = 0;

  /**
   * @param growth null: it lies there as a whole
   * @throws the system's error
   */
  constructor(file: string, growth: Growth | null, pressure: Pressure) {
    this.#fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    this.length = growth === null ? fstatSync(this.#fd).size : null;
    this.#growth = growth;
    this.#pressure = pressure;
  }

  /** @throws RunEnded where {@link ended} says why */
  read(memory: Uint8Array, at: number, length: number): number {
    const count = Math.min(length, this.#available());
    if (count === 0) return 0;
    try {
      const read = readSync(this.#fd, memory, at, count, this.#position);
      // all that is available was written
      if (read === 0) throw new Error('the spool is shorter than it was');
      this.#position += read;
      return read;
    } catch (error) {
      return this.#end(error as Error);
    }
  }

  range(offset: number, size: number): RangeReader {
    return new FileRange(this.#fd, offset, size);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** Bytes that can be read now: at least one, or none at the end. */
  #available(): number {
    const growth = this.#growth;
    if (growth === null) return fstatSync(this.#fd).size - this.#position;
    for (;;) {
      const { changes, state } = growth;
      const available = growth.length - this.#position;
      if (state === 'failed') return this.#end('upload-failed');
      if (available > 0 || state === 'complete') return available;
      this.#wait(growth, changes);
    }
  }

  #wait(growth: Growth, changes: number): void {
    const started = performance.now();
    growth.wait(changes, LOOK_MS);
    if (!this.#pressure.isOn) return;
    this.#waited += performance.now() - started;
    if (this.#waited > PATIENCE_MS) this.#end('given-up');
  }

  #end(reason: NonNullable<GrowingSource['ended']>): never {
    this.ended = reason;
    throw new RunEnded();
  }
}
