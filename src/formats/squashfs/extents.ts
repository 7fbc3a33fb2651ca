import { LIMITS } from '../../model/limits.ts';

/**
 * Ranges of bytes that something claims, in any order and also over one another. Starts and ends
 * are kept apart: sorted each for itself, they still tell what no range holds.
 */
export class Extents {
  #starts = new Float64Array(256);
  #ends = new Float64Array(256);
  #count = 0;
  /** More ranges were added than are kept. */
  overflown = false;

  add(from: number, to: number): void {
    if (to <= from) return;
    const last = this.#count - 1;
    if (last >= 0 && from <= this.#ends[last]! && from >= this.#starts[last]!) {
      if (to > this.#ends[last]!) this.#ends[last] = to;
      return;
    }
    if (this.#count === this.#starts.length) this.#makeRoom();
    if (this.overflown) return;
    this.#starts[this.#count] = from;
    this.#ends[this.#count] = to;
    this.#count += 1;
  }

  /** What of [from, to) no range holds, in ascending order. */
  *holes(from: number, to: number): Generator<readonly [from: number, to: number], void, undefined> {
    this.#merge();
    let at = from;
    for (let index = 0; index < this.#count && at < to; index += 1) {
      const start = Math.min(this.#starts[index]!, to);
      if (start > at) yield [at, start];
      at = Math.max(at, this.#ends[index]!);
    }
    if (at < to) yield [at, to];
  }

  #makeRoom(): void {
    this.#merge();
    const room = this.#starts.length;
    if (2 * this.#count < room) return;
    if (room >= LIMITS.squashfsRanges) {
      this.overflown = true;
      return;
    }
    const [starts, ends] = [this.#starts, this.#ends];
    this.#starts = new Float64Array(2 * room);
    this.#ends = new Float64Array(2 * room);
    this.#starts.set(starts);
    this.#ends.set(ends);
  }

  /** Makes of all ranges those that neither touch nor overlap, in ascending order. */
  #merge(): void {
    const starts = this.#starts.subarray(0, this.#count).sort();
    const ends = this.#ends.subarray(0, this.#count).sort();
    let merged = 0;
    for (let index = 0; index < starts.length; index += 1) {
      // as many ranges have ended as began before: nothing holds what lies between
      if (index === 0 || starts[index]! > ends[index - 1]!) {
        if (index > 0) ends[merged - 1] = ends[index - 1]!;
        starts[merged] = starts[index]!;
        merged += 1;
      }
    }
    if (merged > 0) ends[merged - 1] = ends[starts.length - 1]!;
    this.#count = merged;
  }
}
