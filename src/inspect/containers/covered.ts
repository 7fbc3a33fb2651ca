/** Ranges remembered of one content; streams in others are just tried again. */
const RANGES = 65_536;

type Range = readonly [from: number, to: number];

/** Which bytes of a content have been read as part of something that it holds. */
export class Covered {
  /** In ascending order and apart from one another, once tidied. */
  #ranges: Range[] = [];
  #tidied = true;

  add(from: number, to: number): void {
    let [start, end] = [from, to];
    // an archive that was read to its end takes the place of its members
    for (let last = this.#ranges.at(-1); last !== undefined; last = this.#ranges.at(-1)) {
      if (end < last[0] || start > last[1]) break;
      [start, end] = [Math.min(start, last[0]), Math.max(end, last[1])];
      this.#ranges.pop();
    }
    if (this.#ranges.length >= RANGES) this.#tidy();
    if (this.#ranges.length >= RANGES) return;
    const last = this.#ranges.at(-1);
    if (last !== undefined && start < last[0]) this.#tidied = false;
    this.#ranges.push([start, end]);
  }

  has(offset: number): boolean {
    return this.reaches(offset, offset + 1);
  }

  /** Whether all of [from, to) has been read. */
  reaches(from: number, to: number): boolean {
    this.#tidy();
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as Range)[0] <= from) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low - 1];
    return range !== undefined && to <= range[1];
  }

  /** The parts of [from, to) that have not been read, in order. */
  between(from: number, to: number): readonly Range[] {
    this.#tidy();
    const free: Range[] = [];
    let reached = from;
    for (const [start, end] of this.#ranges) {
      if (start >= to) break;
      if (start > reached) free.push([reached, start]);
      reached = Math.max(reached, end);
    }
    if (reached < to) free.push([reached, to]);
    return free;
  }

  #tidy(): void {
    if (this.#tidied) return;
    const ordered = this.#ranges.toSorted((a, b) => a[0] - b[0]);
    this.#ranges = [];
    for (const [from, to] of ordered) {
      const last = this.#ranges.at(-1);
      if (last === undefined || from > last[1]) this.#ranges.push([from, to]);
      else this.#ranges[this.#ranges.length - 1] = [last[0], Math.max(last[1], to)];
    }
    this.#tidied = true;
  }
}
