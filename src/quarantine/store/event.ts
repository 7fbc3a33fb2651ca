import { displayText } from '../../model/bytes.ts';
import type { OutputResult } from '../../model/report.ts';
import { blocks, counts } from '../../policy/verdict.ts';
import { type AuditEvent, HOMES_MOST, TEXT_MOST } from '../trail/record.ts';
import type { Refused } from './bundle.ts';

/** What of a refused output goes into the trail, so that a list of them needs no reports. */
export function quarantinedEvent(
  id: string,
  { storePath, result, policy }: Refused,
  blocking: readonly string[],
  kept: number | null,
  notKept: string | null,
): Extract<AuditEvent, { event: 'quarantined' }> {
  const findings = result.findings.filter((finding) => blocks(finding, policy));
  return {
    event: 'quarantined',
    id,
    storePath,
    narHash: result.narHash,
    verdict: result.verdict === 'contaminated' ? 'contaminated' : 'incomplete',
    rules: distinct(findings.map(({ rule }) => rule)),
    gaps: distinct(result.gaps.filter(counts).map(({ reason }) => reason)),
    homes: homesOf(findings).slice(0, HOMES_MOST),
    blocking: [...blocking],
    kept,
    notKept: notKept?.slice(0, TEXT_MOST) ?? null,
  };
}

/** Homes, and physical places of the store outside any. */
function homesOf(findings: OutputResult['findings']): string[] {
  return distinct(
    findings.flatMap(({ home, alias }) => {
      const leaked = home ?? alias;
      return leaked === null ? [] : [displayText(leaked).slice(0, TEXT_MOST)];
    }),
  );
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
