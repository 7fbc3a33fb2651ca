import { NarScanError } from '../model/errors.ts';
import { checkNeedles, checkRange } from './check.ts';
import type { Matcher, OnHit, Places } from './matcher.ts';
import type { Kernel, KernelExports } from './module.ts';
import { PendingHits } from './pending.ts';
import { Planner, type Plan } from './plan.ts';
import { writeTables } from './tables.ts';

/** What two passes read one after the other at a time: the second finds it in the caches. */
const STRETCH = 32 * 1024;

/** The facade over one instance of the WebAssembly kernel. */
export class SimdMatcher implements Matcher {
  readonly engine: 'relaxed-simd' | 'simd';
  readonly memory: Uint8Array;
  readonly base: number;
  readonly size: number;
  private readonly kernel: Kernel;
  private readonly pending: PendingHits;
  private readonly planner = new Planner();
  private plan: Plan | null = null;
  private leastOffset = 0;
  private mostOffset = 0;
  private hasRuns = false;
  private searchFingerprints: KernelExports['searchPairs'];

  /** @param size bytes of the caller's region */
  constructor(engine: 'relaxed-simd' | 'simd', kernel: Kernel, size: number) {
    this.engine = engine;
    this.kernel = kernel;
    this.searchFingerprints = kernel.exports.searchPairs;
    this.memory = kernel.memory;
    this.base = kernel.layout.REGION;
    this.size = size;
    this.pending = new PendingHits(kernel);
  }

  load(needles: readonly Uint8Array[], places: Places = [], hasty = false): void {
    checkNeedles(needles);
    const plan = this.planner.plan(needles, places, hasty);
    writeTables(this.kernel, needles, plan);
    const offsets = plan.fingerprints.map(({ offset }) => offset);
    this.leastOffset = Math.min(...offsets);
    this.mostOffset = Math.max(...offsets);
    this.hasRuns = plan.runs.length > 0;
    const { exports } = this.kernel;
    exports.setDistances(plan.second, plan.third);
    this.searchFingerprints = {
      pairs: exports.searchPairs,
      triples: exports.searchTriples,
      buckets: exports.searchBuckets,
      anyBuckets: exports.searchAnyBuckets,
    }[plan.strategy];
    this.plan = plan;
  }

  search(from: number, to: number, limit: number, onHit: OnHit): void {
    checkRange(this, from, to, limit);
    const { plan } = this;
    if (plan === null) throw new NarScanError('KERNEL_RANGE', 'search without needles');
    const stretch = this.hasRuns && plan.fingerprints.length > 0 ? STRETCH : to - from;
    for (let at = from; at < to; at += stretch) {
      this.searchStretch(plan, at, Math.min(at + stretch, to), limit, onHit);
    }
  }

  private searchStretch(plan: Plan, from: number, to: number, limit: number, onHit: OnHit): void {
    const { pending } = this;
    const { exports } = this.kernel;
    exports.setRange(from, to, limit);
    pending.clear();
    // Each pass says up to which start every hit is known; hits below the lesser one are sorted and given.
    const hasFingerprints = plan.fingerprints.length > 0;
    const end = hasFingerprints ? Math.min(to + this.mostOffset, limit) : 0;
    let at = hasFingerprints ? from + this.leastOffset : 0;
    let run = from;
    let knownPrints = hasFingerprints ? from : to;
    let knownRuns = this.hasRuns ? from : to;
    while (knownPrints < to || knownRuns < to) {
      if (knownPrints <= knownRuns && knownPrints < to) {
        at = at < end ? this.searchFingerprints(at, end) >>> 0 : end;
        knownPrints = at >= end ? to : Math.max(from, at - this.mostOffset);
      } else {
        run = exports.searchRuns(run) >>> 0;
        knownRuns = run;
      }
      pending.take();
      pending.give(Math.min(knownPrints, knownRuns), onHit);
    }
  }
}
