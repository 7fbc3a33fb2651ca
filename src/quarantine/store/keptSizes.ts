import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { bytesIn, outputsIn } from './place.ts';

/** Outputs that are looked at before others are served. */
const SLICE = 250;

/** A directory may have been changed once more within the same tick of the clock by which it says when it was. */
const SETTLED_MILLISECONDS = 2000;

interface Known {
  /** Which directory it is, and when a file last came or went there. */
  readonly inode: number;
  readonly changed: number;
  readonly bytes: number;
}

/**
 * Counts what the outputs of a quarantine take. Files of an output come and go as a whole, so what was counted once
 * counts as long as its directory stays as it was: never less than there is, and many are counted soon.
 */
export class KeptSizes {
  readonly #directory: string;
  #known: ReadonlyMap<string, Known> = new Map();

  /** @param directory of the quarantine */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Bytes of all that is kept. Others are served meanwhile: who must rely on it holds the lock of the quarantine.
   * @param except an id that does not count
   */
  async used(except = ''): Promise<number> {
    const now = Date.now();
    const known = new Map<string, Known>();
    let sum = 0;
    for (const [index, id] of outputsIn(this.#directory).entries()) {
      if (index % SLICE === SLICE - 1) await setImmediate();
      const place = join(this.#directory, id);
      const stat = lstatSync(place, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      const { ino: inode, mtimeMs: changed } = stat;
      const before = this.#known.get(id);
      const isSame = before !== undefined && before.inode === inode && before.changed === changed;
      const entry = isSame ? before : { inode, changed, bytes: bytesIn(place) };
      if (changed < now - SETTLED_MILLISECONDS) known.set(id, entry);
      if (id !== except) sum += entry.bytes;
    }
    this.#known = known;
    return sum;
  }
}
