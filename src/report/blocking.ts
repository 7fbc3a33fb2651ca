import type { OutputResult } from '../model/report.ts';
import { blocks, counts, type Strictness } from '../policy/verdict.ts';
import { type Digest, findingId, gapId } from './ids.ts';

/**
 * Ids of the findings that make a judged output contaminated and of the gaps that make it incomplete,
 * sorted, each once.
 * @param policy under which it was judged
 */
export function blockingIds(
  { findings, gaps }: Pick<OutputResult, 'findings' | 'gaps'>,
  policy: Strictness,
  digest: Digest,
): readonly string[] {
  const ids = [
    ...findings.filter((finding) => blocks(finding, policy)).map((finding) => findingId(finding, digest)),
    ...gaps.filter(counts).map((gap) => gapId(gap, digest)),
  ];
  return [...new Set(ids)].sort();
}
