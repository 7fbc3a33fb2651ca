import { byteStringOfText } from '../../model/bytes.ts';
import { type Finding, TEXT_CARRIERS } from '../../model/facts.ts';
import type { OutputResult } from '../../model/report.ts';
import { entriesWorstFirst, kindsWorstFirst } from '../../report/grouping.ts';
import type { Approval } from '../catalog.ts';
import { surroundingsOf } from './surroundings.ts';
import type { ShownEntry } from './views.ts';

/** Entries that one page shows, and leaks of one kind in an entry. */
const ENTRIES = 20;
const OF_KIND = 3;

/**
 * The leaks of an output, the worst entries and kinds first, with what stands around them.
 * @param place where its NAR is kept, if it is
 */
export async function shownEntries(
  { findings }: OutputResult,
  approvals: readonly Approval[],
  { state, id, kept }: { readonly state: string; readonly id: string; readonly kept: number | null },
): Promise<{ readonly entries: readonly ShownEntry[]; readonly moreEntries: number }> {
  const entries = entriesWorstFirst(findings);
  const listed = entries.slice(0, ENTRIES).map((entry) => ({
    name: entry.name,
    findings: kindsWorstFirst(entry.findings).flatMap((kind) => {
      const shown = kind.slice(0, OF_KIND);
      const all = kind.reduce((sum, { more }) => sum + 1 + more, 0);
      // told with the last one that is shown
      return shown.map((finding, at) => ({
        finding: finding as OutputResult['findings'][number],
        more: at === shown.length - 1 ? all - shown.length : 0,
      }));
    }),
  }));
  const wanted = listed.flatMap((entry) => entry.findings.map(({ finding }) => finding));
  const around = kept === null ? new Map<Finding, never>() : await surroundingsOf(state, id, wanted);
  return {
    moreEntries: entries.length - listed.length,
    entries: listed.map((entry) => ({
      name: entry.name,
      findings: entry.findings.map(({ finding, more }) => ({
        finding,
        settled: approvalOf(finding, approvals),
        surroundings: around.get(finding) ?? null,
        more,
      })),
    })),
  };
}

/** Whether a leak is a home of others that can be settled: in text, not in what is followed as a path. */
export function isSettleable({ rule, carrier }: Finding): boolean {
  return rule === 'foreign-home' && TEXT_CARRIERS.includes(carrier);
}

function approvalOf(finding: Finding, approvals: readonly Approval[]): Approval | null {
  if (!isSettleable(finding)) return null;
  return approvals.find(({ home }) => byteStringOfText(home) === finding.home) ?? null;
}
