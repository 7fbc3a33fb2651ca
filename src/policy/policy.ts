import type { Carrier, GapReason, Rule, Severity } from '../model/facts.ts';
import { NO_EDITS, type RuleEdits } from '../needles/ruleLists.ts';
import type { ContainerLimits } from '../inspect/containers/budget.ts';
import { type AdmissionSettings, BUILT_IN_ADMISSION } from './admission.ts';
import { BUILT_IN_GATE, type GateSettings } from './gate.ts';
import type { CarrierGroup } from './groups.ts';

/** What findings depend on. */
export interface FactPolicy {
  /** Homes besides those of the command line and the machine. */
  readonly homes: readonly string[];
  readonly aliases: readonly string[];
  readonly edits: RuleEdits;
  readonly limits: Partial<ContainerLimits>;
  /** Whether waivers name contents, so that their digests must be known. */
  readonly digests: boolean;
}

/** Which findings or gaps are known and accepted. What is null may be anything. */
export interface Waiver {
  /** File and line. */
  readonly place: string;
  /** A waiver covers findings of one rule, or gaps of one reason. */
  readonly rule: Rule | null;
  readonly reason: GapReason | null;
  readonly carrier: Carrier | null;
  /** Globs; of the output's store path, its last part, that without its hash, or the argument. */
  readonly output: string | null;
  readonly entry: string | null;
  /** A glob for each member name from outside in; `**` is any number of names. */
  readonly container: readonly string[] | null;
  readonly home: string | null;
  readonly alias: string | null;
  /** BLAKE3 of the entry's content. */
  readonly blake3: string | null;
  readonly because: string;
  /** `2027-01-31`: from the beginning of that day (UTC) on it covers nothing. */
  readonly expires: string | null;
  readonly by: string | null;
}

export type Severities = Readonly<Partial<Record<Rule, Readonly<Partial<Record<CarrierGroup, Severity>>>>>>;

/** What a verdict depends on besides the facts and the day. */
export interface VerdictPolicy {
  /** Where other severities are wanted than the built-in ones. */
  readonly severities: Severities;
  /** Reasons whose gaps do not count. */
  readonly ignoredGaps: readonly GapReason[];
  readonly waivers: readonly Waiver[];
  /** Warnings count as errors. */
  readonly strict: boolean;
}

/** What a policy file says; `strict` is the command line's. */
export interface Policy {
  readonly facts: FactPolicy;
  readonly verdict: VerdictPolicy;
  readonly gate: GateSettings;
  readonly admission: AdmissionSettings;
}

/** Nothing is changed, nothing is waived. */
export const BUILT_IN_POLICY: Policy = Object.freeze({
  facts: Object.freeze({ homes: [], aliases: [], edits: NO_EDITS, limits: {}, digests: false }),
  verdict: Object.freeze({ severities: {}, ignoredGaps: [], waivers: [], strict: false }),
  gate: BUILT_IN_GATE,
  admission: BUILT_IN_ADMISSION,
});
