import { BucketPlanner } from './buckets.ts';
import { COST_OF_TRIPLES, fit, type Choice } from './classes.ts';
import type { Places } from './matcher.ts';
import { MOST_DISTANCE } from './frequency.ts';
import { once } from '../model/once.ts';

/** How one needle set is searched for: pure data, written into the kernel's memory by tables.ts. */
export interface Plan {
  readonly strategy: 'pairs' | 'triples' | 'buckets' | 'anyBuckets';
  /** Distance of the second and third fingerprint byte from the first; equal for pairs. */
  readonly second: number;
  readonly third: number;
  /** Needles found by fingerprint. */
  readonly fingerprints: readonly Fingerprint[];
  /** Indices of the needles found by runs of the hash alphabet. */
  readonly runs: readonly number[];
}

/** The bytes by which one needle is found: its index, and where in the needle they begin. */
export interface Fingerprint {
  readonly needle: number;
  readonly offset: number;
  /** Which of eight it shares with others, where buckets are searched. */
  readonly bucket?: number;
}

/** Of the characters of Nix's hash parts; no run of them is long in text, for want of e, o, t and u. */
export const RUN_ALPHABET = '0123456789abcdfghijklmnpqrsvwxyz';
/** What assembly/runs.ts relies on. */
const RUN_BYTES = 32;

/** Nanoseconds a byte, measured: what the search for runs costs beside the other. */
const COST_OF_RUNS = 0.03;
/** With more run needles than this it is not tried to find fingerprints for them. */
const MOST_RUNS_BY_FINGERPRINT = 12;
/** More needles than this, not counting runs, fit into no classes: it is not tried. */
const MOST_BY_CLASSES = 64;
/** Fingerprints begin early in a needle, so that hits wait shortly for being sorted. */
const MOST_OFFSET = 48;

/** Chooses the cheapest search for one needle set after another, by how rare its bytes are in usual data. */
export class Planner {
  readonly #buckets = new BucketPlanner(MOST_OFFSET, false);
  /** Of needles that the others do not take: there are hardly ever any. */
  readonly #anyBuckets = once(() => new BucketPlanner(MOST_OFFSET, true));

  /**
   * @param places where needles were placed when the program was built: it saves the planning of those
   * @param hasty planning is to end soon: what is to be put into buckets goes where it costs little
   */
  plan(needles: readonly Uint8Array[], places: Places = [], hasty = false): Plan {
    const all = [...needles.keys()];
    const inBuckets = (chosen: readonly number[], inRuns: readonly number[]): Plan =>
      this.#inBuckets(needles, chosen, inRuns, places, hasty);
    const runs = all.filter((index) => isRun(needles[index] as Uint8Array));
    const rest = all.filter((index) => !isRun(needles[index] as Uint8Array));
    if (rest.length === 0) return { strategy: 'pairs', second: 1, third: 1, fingerprints: [], runs };
    const areFew = runs.length <= MOST_RUNS_BY_FINGERPRINT;
    if (rest.length > MOST_BY_CLASSES) return areFew ? inBuckets(all, []) : inBuckets(rest, runs);
    const together = areFew ? choose(needles, all) : null;
    if (runs.length === 0) return together === null ? inBuckets(all, []) : asPlan(together, []);
    const apart = choose(needles, rest);
    if (together !== null && (apart === null || together.cost <= apart.cost + COST_OF_RUNS)) {
      return asPlan(together, []);
    }
    return apart === null ? inBuckets(rest, runs) : asPlan(apart, runs);
  }

  /** Where the needles of the last plan are that are searched for in buckets. */
  get places(): Places {
    return this.#buckets.places;
  }

  /** Makes the last plan's buckets better, which takes long: see {@link BucketPlanner.improve}. */
  improve(rounds: number, seed: number): void {
    this.#buckets.improve(rounds, seed);
  }

  /** Fingerprints of adjacent bytes: of ASCII where that can be, for it is faster; the masks of any bytes can be built. */
  #inBuckets(
    needles: readonly Uint8Array[],
    chosen: readonly number[],
    runs: readonly number[],
    places: Places,
    hasty: boolean,
  ): Plan {
    const areAscii = chosen.every((index) => this.#buckets.takes(needles[index] as Uint8Array));
    const planner = areAscii ? this.#buckets : this.#anyBuckets();
    planner.seed(places);
    const fingerprints = planner.plan(needles, chosen, hasty);
    return { strategy: areAscii ? 'buckets' : 'anyBuckets', second: 1, third: 2, fingerprints, runs };
  }
}

function asPlan({ strategy, distances, fingerprints }: Choice, runs: readonly number[]): Plan {
  const [, second = 1, third = second] = distances;
  return { strategy, second, third, fingerprints, runs };
}

function isRun(needle: Uint8Array): boolean {
  return (
    needle.length >= RUN_BYTES && needle.every((byte) => RUN_ALPHABET.includes(String.fromCharCode(byte)))
  );
}

/** The cheapest fingerprints by byte classes, or null where no classes hold all the needles. */
function choose(needles: readonly Uint8Array[], chosen: readonly number[]): Choice | null {
  const shortest = Math.min(...chosen.map((index) => (needles[index] as Uint8Array).length));
  const distances = Array.from({ length: Math.min(MOST_DISTANCE, shortest - 1) }, (_, i) => i + 1);
  const fitAt = (second: number, third?: number): Choice | null =>
    fit(needles, chosen, third === undefined ? [0, second] : [0, second, third], MOST_OFFSET);
  const pairs = distances.map((second) => fitAt(second)).reduce(cheaper, null);
  // A third byte is worth trying only where two leave too many candidates, and only with the best two.
  if (pairs === null || pairs.cost < COST_OF_TRIPLES) return pairs;
  const second = pairs.distances[1] as number;
  return distances
    .filter((third) => third !== second)
    .map((third) => fitAt(second, third))
    .reduce(cheaper, pairs);
}

function cheaper(a: Choice | null, b: Choice | null): Choice | null {
  return a === null || (b !== null && b.cost < a.cost) ? b : a;
}
