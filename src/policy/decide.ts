import type { Carrier, Finding, Gap, Rule, Severity, TracedFacts, TracedFinding } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';
import { groupsOf } from './groups.ts';
import type { Severities, VerdictPolicy, Waiver } from './policy.ts';
import { blocks, verdictOfOutput } from './verdict.ts';
import { isExpired, OutputWaivers } from './waivers.ts';

/** The verdict on one output, and what made it. */
export interface Decision {
  readonly result: OutputResult;
  /** Waivers that may be about this output: those that name no other. */
  readonly about: ReadonlySet<Waiver>;
  /** Those of them that covered something. */
  readonly used: ReadonlySet<Waiver>;
}

/**
 * The verdict on one output under a policy, on a day. Contaminated wins over incomplete, incomplete
 * over clean. Facts are told all the same, with the severity that the policy gives them and with
 * what waives them. Depends on nothing but its arguments.
 */
export function decide(facts: TracedFacts, policy: VerdictPolicy, now: Date): Decision {
  // to tell a day for the first time takes Node some milliseconds
  const today = policy.waivers.length === 0 ? '' : dayOf(now);
  const waivers = new OutputWaivers(policy.waivers, facts, today);
  const findings = facts.findings.map((finding) => {
    const judged = withSeverity(finding, policy.severities);
    const waiver = waivers.ofFinding(finding);
    return waiver === null ? judged : { ...judged, waivedBy: nameOf(waiver) };
  });
  const judged = (gap: Gap): OutputResult['gaps'][number] => {
    const waiver = waivers.ofGap(gap);
    if (waiver !== null) return { ...gap, waivedBy: nameOf(waiver) };
    return policy.ignoredGaps.includes(gap.reason) ? { ...gap, waivedBy: `gaps.ignore: ${gap.reason}` } : gap;
  };
  const gaps = mayWaiveGaps(policy) ? facts.gaps.map(judged) : facts.gaps;
  const verdict = verdictOfOutput({ findings, gaps }, policy);
  return { result: { ...facts, findings, gaps, verdict }, about: waivers.about, used: waivers.used };
}

/** Whether a gap can be anything but what it is: a tree may have tens of thousands. */
function mayWaiveGaps({ waivers, ignoredGaps }: VerdictPolicy): boolean {
  return waivers.length > 0 || ignoredGaps.length > 0;
}

/** Whether the verdict may depend on it that the text of a finding stands in a source of the build. */
export function dependsOnOrigin(finding: Finding, policy: VerdictPolicy): boolean {
  const wouldBlock = (traced: TracedFinding): boolean =>
    blocks(withSeverity(traced, policy.severities), policy);
  return wouldBlock(finding) && !wouldBlock({ ...finding, source: '' });
}

/**
 * Waivers that covered nothing in a whole run, one line each, in the order of the file. What is about
 * outputs that were not in the run may be in use elsewhere, and is not told.
 * @param about any output
 * @param used by any output
 */
export function unusedWaivers(
  waivers: readonly Waiver[],
  { about, used }: Pick<Decision, 'about' | 'used'>,
  now: Date,
): readonly string[] {
  return waivers.flatMap((waiver) => {
    const told = (why: string): string => `${nameOf(waiver)} (${whatOf(waiver)}: ${why})`;
    if (isExpired(waiver, dayOf(now))) return [told(`expired ${waiver.expires}`)];
    return !about.has(waiver) || used.has(waiver) ? [] : [told('covers nothing')];
  });
}

/** The day that a waiver's expiry is compared with. */
export function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

function nameOf({ place, because }: Waiver): string {
  return `${place}: ${because}`;
}

/** What a waiver is for: rule or reason, and where. */
function whatOf({ rule, reason, output, entry }: Waiver): string {
  const where = Object.entries({ output, entry }).filter(([, glob]) => glob !== null);
  return [rule ?? reason, ...where.map((pair) => pair.join(' '))].join(', ');
}

function withSeverity(finding: TracedFinding, severities: Severities): TracedFinding {
  const { rule, carrier, source } = finding;
  // upstream's own text; homes of this build and places of its store are never that
  const builtIn = rule === 'foreign-home' && source !== undefined ? 'note' : finding.severity;
  const severity = severityUnder(severities, rule, carrier, builtIn);
  return severity === finding.severity ? finding : { ...finding, severity };
}

function severityUnder(severities: Severities, rule: Rule, carrier: Carrier, builtIn: Severity): Severity {
  const groups = severities[rule];
  // a store that images have is a note by its prefix, which is in a list of its own
  if (groups === undefined || (rule === 'store-alias' && builtIn === 'note')) return builtIn;
  const group = groupsOf(carrier).find((name) => groups[name] !== undefined);
  return (group === undefined ? undefined : groups[group]) ?? builtIn;
}
