/** Ranges remembered of one content; streams in others are just tried again. */
const RANGES = 65_536;

/** Which bytes of a content have been read as part of something that it holds. */
export class Covered {
  #ranges: (readonly [from: number, to: number])[] = [];
  #sorted = true;

  add(from: number, to: number): void {
    const last = this.#ranges.at(-1);
    if (last !== undefined && last[1] === from) this.#ranges[this.#ranges.length - 1] = [last[0], to];
    else if (this.#ranges.length < RANGES) {
      if (last !== undefined && from < last[0]) this.#sorted = false;
      this.#ranges.push([from, to]);
    }
  }

  has(offset: number): boolean {
    if (!this.#sorted) this.#tidy();
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as readonly [number, number])[0] <= offset) low = middle + 1;
      else high = middle;
    }
    // nested ranges begin before this one and may end behind it; few do
    for (let index = low - 1; index >= Math.max(0, low - 16); index--) {
      if (offset < (this.#ranges[index] as readonly [number, number])[1]) return true;
    }
    return false;
  }

  #tidy(): void {
    this.#ranges = this.#ranges.toSorted((a, b) => a[0] - b[0] || b[1] - a[1]);
    this.#sorted = true;
  }
}
