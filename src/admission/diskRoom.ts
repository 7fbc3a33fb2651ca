import { statfs } from 'node:fs/promises';
import { LIMITS } from '../model/limits.ts';
import type { Growth } from './intake/growth.ts';

/** An upload that has said how much it will be. */
interface Announced {
  readonly length: number;
  readonly growth: Growth;
}

/** How much room the disk of the uploads has for further ones. */
export class DiskRoom {
  readonly #directory: string;
  readonly #announced = new Set<Announced>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Counts an upload that is being received, until it is disposed of. @param length null where it is not known */
  announce(length: number | null, growth: Growth): Disposable {
    const announced = { length: length ?? 0, growth };
    this.#announced.add(announced);
    return { [Symbol.dispose]: () => void this.#announced.delete(announced) };
  }

  /** Whether so many bytes fit beside what is still to come of other uploads. Where nobody knows they may try. */
  async has(length: number): Promise<boolean> {
    const free = await statfs(this.#directory).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    );
    let wanted = length + LIMITS.diskReserveBytes;
    for (const { length: whole, growth } of this.#announced) wanted += Math.max(0, whole - growth.length);
    return wanted <= free;
  }
}
