import { FREQUENCY } from './frequency.ts';

/** How one needle set is searched for: pure data, written into the kernel's memory by tables.ts. */
export interface Plan {
  readonly strategy: 'pairs' | 'triples' | 'buckets';
  /** Distance of the second and third fingerprint byte from the first; equal for pairs. */
  readonly second: number;
  readonly third: number;
  /** Needles found by fingerprint: index, and where in the needle the fingerprint begins. */
  readonly fingerprints: readonly Fingerprint[];
  /** Indices of the needles found by runs of the hash alphabet. */
  readonly runs: readonly number[];
}

export interface Fingerprint {
  readonly needle: number;
  readonly offset: number;
}

/** Of the characters of Nix's hash parts; no run of them is long in text, for want of e, o, t and u. */
export const RUN_ALPHABET = '0123456789abcdfghijklmnpqrsvwxyz';
/** A needle this long covers a whole block of 16 bytes, and its neighbours tell where it begins. */
const RUN_BYTES = 32;

/** Costs in nanoseconds, measured: of a byte that no candidate begins at, and of a candidate. */
const COST = { pairs: 0.05, triples: 0.07, runs: 0.04, candidate: 8 } as const;

/** With more run needles than this it is not tried to find fingerprints for them. */
const MOST_RUNS_BY_FINGERPRINT = 12;
/** Fingerprints begin early in a needle, so that hits wait shortly for being sorted. */
const MOST_OFFSET = 48;
const MOST_DISTANCE = 6;
const ROUNDS = 3;

interface Choice {
  readonly strategy: 'pairs' | 'triples';
  readonly distances: readonly number[];
  readonly fingerprints: readonly Fingerprint[];
  readonly cost: number;
}

/** Chooses the cheapest search for a needle set, by how rare its bytes are in usual data. */
export function planSearch(needles: readonly Uint8Array[]): Plan {
  const all = [...needles.keys()];
  const runs = all.filter((index) => isRun(needles[index] as Uint8Array));
  const rest = all.filter((index) => !isRun(needles[index] as Uint8Array));
  if (rest.length === 0) return { strategy: 'pairs', second: 1, third: 1, fingerprints: [], runs };
  const together = runs.length <= MOST_RUNS_BY_FINGERPRINT ? choose(needles, all) : null;
  if (runs.length === 0) return together === null ? inBuckets(needles, all, []) : asPlan(together, []);
  const apart = choose(needles, rest);
  if (together !== null && (apart === null || together.cost <= apart.cost + COST.runs)) return asPlan(together, []);
  return apart === null ? inBuckets(needles, rest, runs) : asPlan(apart, runs);
}

function asPlan({ strategy, distances, fingerprints }: Choice, runs: readonly number[]): Plan {
  const [, second = 1, third = second] = distances;
  return { strategy, second, third, fingerprints, runs };
}

function isRun(needle: Uint8Array): boolean {
  return needle.length >= RUN_BYTES && needle.every((byte) => RUN_ALPHABET.includes(String.fromCharCode(byte)));
}

/** Fingerprints of three adjacent bytes where they are rarest; the masks of any bytes can be built. */
function inBuckets(needles: readonly Uint8Array[], chosen: readonly number[], runs: readonly number[]): Plan {
  const fingerprints = chosen.map((index) => {
    const needle = needles[index] as Uint8Array;
    let offset = 0;
    let rarest = Infinity;
    for (let at = 0; at <= Math.min(needle.length - 3, MOST_OFFSET); at++) {
      const share = frequencyAt(needle, at) * frequencyAt(needle, at + 1) * frequencyAt(needle, at + 2);
      if (share < rarest) [offset, rarest] = [at, share];
    }
    return { needle: index, offset };
  });
  return { strategy: 'buckets', second: 1, third: 2, fingerprints, runs };
}

function frequencyAt(needle: Uint8Array, at: number): number {
  return FREQUENCY[needle[at] as number] as number;
}

/** The cheapest fingerprints by byte classes, or null where no classes hold all the needles. */
function choose(needles: readonly Uint8Array[], chosen: readonly number[]): Choice | null {
  const shortest = Math.min(MOST_DISTANCE + 1, ...chosen.map((index) => (needles[index] as Uint8Array).length));
  let best: Choice | null = null;
  for (let second = 1; second < shortest; second++) {
    best = cheaper(best, fit(needles, chosen, [0, second]));
    for (let third = second + 1; third < shortest; third++) {
      best = cheaper(best, fit(needles, chosen, [0, second, third]));
    }
  }
  return best;
}

function cheaper(a: Choice | null, b: Choice | null): Choice | null {
  return a === null || (b !== null && b.cost < a.cost) ? b : a;
}

/**
 * Finds an offset for every needle such that the bytes at each distance form a class of ASCII bytes
 * with distinct low nibbles. Greedy, needles with the least choice first; then each is chosen anew,
 * given the others.
 */
function fit(needles: readonly Uint8Array[], chosen: readonly number[], distances: readonly number[]): Choice | null {
  const classes = distances.map(() => new ByteClass());
  const span = distances.at(-1) as number;
  const order = chosen.toSorted((a, b) => (needles[a] as Uint8Array).length - (needles[b] as Uint8Array).length);
  const offsets = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const index of order) {
      const needle = needles[index] as Uint8Array;
      const old = offsets.get(index);
      if (old !== undefined) classes.forEach((c, i) => c.remove(needle[old + (distances[i] as number)] as number));
      let offset = -1;
      let least = Infinity;
      for (let at = 0; at < needle.length - span && at <= MOST_OFFSET; at++) {
        let share = 1;
        for (let i = 0; i < distances.length; i++) {
          share *= (classes[i] as ByteClass).shareWith(needle[at + (distances[i] as number)] as number);
        }
        if (share < least) [offset, least] = [at, share];
      }
      if (offset < 0) return null;
      classes.forEach((c, i) => c.add(needle[offset + (distances[i] as number)] as number));
      offsets.set(index, offset);
    }
  }
  const strategy = distances.length === 2 ? 'pairs' : 'triples';
  const share = classes.reduce((product, { share }) => product * share, 1);
  return {
    strategy,
    distances,
    fingerprints: chosen.map((needle) => ({ needle, offset: offsets.get(needle) as number })),
    cost: COST[strategy] + share * COST.candidate,
  };
}

/** ASCII bytes with distinct low nibbles, each counted as often as it was added. */
class ByteClass {
  private readonly member = new Int16Array(16).fill(-1);
  private readonly count = new Int32Array(16);
  share = 0;

  /** The share of bytes that would be members with this one; Infinity where it cannot be. */
  shareWith(byte: number): number {
    const member = this.member[byte & 15] as number;
    if (member === byte) return this.share;
    return member < 0 && byte < 128 ? this.share + (FREQUENCY[byte] as number) : Infinity;
  }

  add(byte: number): void {
    const nibble = byte & 15;
    if (this.count[nibble] === 0) {
      this.member[nibble] = byte;
      this.share += FREQUENCY[byte] as number;
    }
    this.count[nibble] = (this.count[nibble] as number) + 1;
  }

  remove(byte: number): void {
    const nibble = byte & 15;
    this.count[nibble] = (this.count[nibble] as number) - 1;
    if (this.count[nibble] !== 0) return;
    this.member[nibble] = -1;
    this.share -= FREQUENCY[byte] as number;
  }
}
