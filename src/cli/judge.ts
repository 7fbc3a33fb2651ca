import type { TracedFacts } from '../model/facts.ts';
import { NarScanError } from '../model/errors.ts';
import { type OutputResult, type ReportError, reportError } from '../model/report.ts';
import type { Baseline } from '../policy/baseline.ts';
import { decide, unusedWaivers } from '../policy/decide.ts';
import type { VerdictPolicy, Waiver } from '../policy/policy.ts';

/** What is to be told when all outputs were judged. */
export interface Conclusion {
  /** Waivers that are expired or covered nothing, one line each. */
  readonly unusedWaivers: readonly string[];
  readonly errors: readonly ReportError[];
  /** For people, one line each. */
  readonly remarks: readonly string[];
}

/** Where waivers for what blocks today go. */
export interface BaselineUpdate {
  readonly baseline: Baseline;
  readonly file: { readonly path: string; add(waivers: readonly Waiver[]): void };
}

/** Judges the outputs of one run under one policy, on one day. */
export class Judge {
  readonly #policy: VerdictPolicy;
  readonly #now: Date;
  readonly #update: BaselineUpdate | null;
  readonly #about = new Set<Waiver>();
  readonly #used = new Set<Waiver>();

  constructor(policy: VerdictPolicy, now: Date, update: BaselineUpdate | null) {
    this.#policy = policy;
    this.#now = now;
    this.#update = update;
  }

  judge(facts: TracedFacts): OutputResult {
    const { result, about, used } = decide(facts, this.#policy, this.#now);
    for (const waiver of about) this.#about.add(waiver);
    for (const waiver of used) this.#used.add(waiver);
    this.#update?.baseline.take(result);
    return result;
  }

  /** @param errors how many the run met: waivers for a part of it would pass for all */
  conclude(errors: number): Conclusion {
    const seen = { about: this.#about, used: this.#used };
    const unused = unusedWaivers(this.#policy.waivers, seen, this.#now);
    const faults: ReportError[] = [];
    if (this.#policy.strict && unused.length > 0) {
      const [first = '', ...others] = unused;
      const more = others.length === 0 ? '' : `, and ${others.length} more`;
      faults.push(reportError(new NarScanError('POLICY_WAIVERS_UNUSED', `${first}${more}`), null));
    }
    const remarks: string[] = [];
    if (this.#update !== null) {
      try {
        remarks.push(addWaivers(this.#update, errors));
      } catch (error) {
        faults.push(reportError(error, null));
      }
    }
    return { unusedWaivers: unused, errors: faults, remarks };
  }
}

function addWaivers({ baseline, file }: BaselineUpdate, errors: number): string {
  if (errors > 0) {
    throw new NarScanError(
      'BASELINE_NOT_WRITTEN',
      `no waivers were added to ${file.path}: the run had errors`,
    );
  }
  const { waivers } = baseline;
  file.add(waivers);
  const count = waivers.length.toLocaleString('en-US');
  return `${count} ${waivers.length === 1 ? 'waiver was' : 'waivers were'} added to ${file.path}`;
}
