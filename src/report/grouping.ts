import type { ByteString } from '../model/bytes.ts';
import {
  type Finding,
  type Gap,
  GAP_REASONS,
  type GapReason,
  RULES,
  SEVERITIES,
  type TracedFinding,
} from '../model/facts.ts';

/** The findings of one entry. */
export interface Entry {
  readonly name: ByteString;
  readonly findings: readonly TracedFinding[];
}

/** Findings by entry: entries with the worst finding first, then in the order of their bytes. */
export function entriesWorstFirst(findings: readonly TracedFinding[]): readonly Entry[] {
  return [...Map.groupBy(findings, (finding) => finding.location.entry)]
    .map(([name, group]) => ({ name, findings: group, worst: worstRank(group) }))
    .toSorted((a, b) => a.worst - b.worst || (a.name < b.name ? -1 : 1));
}

/** Findings of one entry by kind (severity, rule, carrier, home, alias, source), the worst kind first. */
export function kindsWorstFirst(findings: readonly TracedFinding[]): readonly (readonly TracedFinding[])[] {
  const kinds = Map.groupBy(findings, ({ severity, rule, carrier, home, alias, source }) =>
    JSON.stringify([severity, rule, carrier, home, alias, source]),
  );
  return [...kinds.values()].toSorted((a, b) => rank(a[0]) - rank(b[0]));
}

/** Gaps by reason, in the order of the table of reasons. */
export function gapsByReason(gaps: readonly Gap[]): readonly (readonly [GapReason, readonly Gap[]])[] {
  const groups = Map.groupBy(gaps, (gap) => gap.reason);
  return GAP_REASONS.flatMap((reason) => {
    const group = groups.get(reason);
    return group === undefined ? [] : [[reason, group] as const];
  });
}

/** Smaller is worse. */
function rank(finding: Finding | undefined): number {
  if (finding === undefined) return Number.POSITIVE_INFINITY;
  return SEVERITIES.indexOf(finding.severity) * RULES.length + RULES.indexOf(finding.rule);
}

function worstRank(findings: readonly Finding[]): number {
  return findings.reduce((worst, finding) => Math.min(worst, rank(finding)), Number.POSITIVE_INFINITY);
}
