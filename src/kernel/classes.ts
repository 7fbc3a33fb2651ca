import { shareOf, shareOfPair } from './frequency.ts';
import type { Fingerprint } from './plan.ts';

/** Fingerprints whose bytes at each distance form a class of ASCII bytes with distinct low nibbles. */
export interface Choice {
  readonly strategy: 'pairs' | 'triples';
  readonly distances: readonly number[];
  readonly fingerprints: readonly Fingerprint[];
  /** Expected nanoseconds a byte. */
  readonly cost: number;
}

/** Nanoseconds, measured: of a byte where no candidate begins, and of a candidate, mostly a mispredicted branch. */
export const COST_OF_TRIPLES = 0.06;
const COST = { pairs: 0.045, triples: COST_OF_TRIPLES, candidate: 10 } as const;
const ROUNDS = 2;

/**
 * Finds an offset for every needle such that candidates are rare. Greedy, needles with the least
 * choice first; then each is chosen anew, given the others.
 *
 * @param chosen indices of the needles to fit
 * @param distances two or three, the first 0
 * @returns null where no such classes hold all the needles
 */
export function fit(
  needles: readonly Uint8Array[],
  chosen: readonly number[],
  distances: readonly number[],
  mostOffset: number,
): Choice | null {
  const classes = new Classes(distances);
  const span = Math.max(...distances);
  const order = chosen.toSorted(
    (a, b) => (needles[a] as Uint8Array).length - (needles[b] as Uint8Array).length,
  );
  const offsets = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const index of order) {
      const needle = needles[index] as Uint8Array;
      const old = offsets.get(index);
      if (old !== undefined) classes.remove(needle, old);
      let offset = -1;
      let least = Infinity;
      for (let at = 0; at < needle.length - span && at <= mostOffset; at++) {
        const share = classes.shareWith(needle, at);
        if (share < least) [offset, least] = [at, share];
      }
      if (offset < 0) return null;
      classes.add(needle, offset);
      offsets.set(index, offset);
    }
  }
  const strategy = distances.length === 2 ? 'pairs' : 'triples';
  return {
    strategy,
    distances,
    fingerprints: chosen.map((needle) => ({ needle, offset: offsets.get(needle) as number })),
    cost: COST[strategy] + classes.share() * COST.candidate,
  };
}

/** One class of bytes for each distance. Members are counted, as needles share them. */
class Classes {
  private readonly distances: readonly number[];
  private readonly classes: readonly ByteClass[];
  /** The share of addresses at which the first two bytes are members. */
  private pairs = 0;

  constructor(distances: readonly number[]) {
    this.distances = distances;
    this.classes = distances.map(() => new ByteClass());
  }

  add(needle: Uint8Array, offset: number): void {
    for (const [i, distance] of this.distances.entries()) {
      this.classes[i]?.add(needle[offset + distance] as number);
    }
    this.count();
  }

  remove(needle: Uint8Array, offset: number): void {
    for (const [i, distance] of this.distances.entries()) {
      this.classes[i]?.remove(needle[offset + distance] as number);
    }
    this.count();
  }

  /** The share of addresses that would be candidates with this fingerprint; Infinity where it cannot be. */
  shareWith(needle: Uint8Array, offset: number): number {
    const [first, second, third] = this.classes as [ByteClass, ByteClass, ByteClass?];
    const [, near, far] = this.distances as [0, number, number?];
    const a = needle[offset] as number;
    const b = needle[offset + near] as number;
    if (!first.takes(a) || !second.takes(b)) return Infinity;
    const isNewB = !second.has(b);
    let share = this.pairs;
    if (!first.has(a)) share += this.pairsOf(a, second) + (isNewB ? shareOfPair(a, b, near) : 0);
    if (isNewB) for (const member of first.bytes) share += shareOfPair(member, b, near);
    if (third === undefined || far === undefined) return share;
    const c = needle[offset + far] as number;
    return third.takes(c) ? share * (third.share() + (third.has(c) ? 0 : shareOf(c))) : Infinity;
  }

  /** The share of addresses that are candidates. A third byte counts as if it were independent. */
  share(): number {
    return this.pairs * (this.classes[2]?.share() ?? 1);
  }

  private count(): void {
    const [first, second] = this.classes as [ByteClass, ByteClass];
    this.pairs = first.bytes.reduce((sum, byte) => sum + this.pairsOf(byte, second), 0);
  }

  private pairsOf(byte: number, second: ByteClass): number {
    let share = 0;
    for (const member of second.bytes) share += shareOfPair(byte, member, this.distances[1] as number);
    return share;
  }
}

class ByteClass {
  /** The members, in no order. */
  bytes: readonly number[] = [];
  private readonly counts = new Map<number, number>();
  private readonly ofNibble = new Int16Array(16).fill(-1);

  has(byte: number): boolean {
    return this.ofNibble[byte & 15] === byte;
  }

  takes(byte: number): boolean {
    return this.has(byte) || (byte < 128 && (this.ofNibble[byte & 15] as number) < 0);
  }

  share(): number {
    return this.bytes.reduce((sum, byte) => sum + shareOf(byte), 0);
  }

  add(byte: number): void {
    this.counts.set(byte, (this.counts.get(byte) ?? 0) + 1);
    if (this.has(byte)) return;
    this.ofNibble[byte & 15] = byte;
    this.bytes = [...this.bytes, byte];
  }

  remove(byte: number): void {
    const count = (this.counts.get(byte) ?? 0) - 1;
    this.counts.set(byte, count);
    if (count > 0) return;
    this.ofNibble[byte & 15] = -1;
    this.bytes = this.bytes.filter((member) => member !== byte);
  }
}
