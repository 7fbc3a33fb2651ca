import type { VerdictPolicy } from '../policy/policy.ts';
import { blocks } from '../policy/verdict.ts';
import { releasedText } from '../quarantine/decisionText.ts';
import { printableText } from '../report/printable.ts';
import type { GateAnswer } from './gate.ts';
import type { PathStanding } from './standing.ts';

/**
 * What a path that may leave owes it to, in a few words: a release or a waiver, of the path itself or of what it
 * refers to; null where all of it is clean without. Printable.
 */
export function exceptionOf(
  storePath: string,
  { standings, graph }: Pick<GateAnswer, 'standings' | 'graph'>,
  policy: VerdictPolicy,
): string | null {
  const all = [...graph.closureOf(storePath)].flatMap((path) => {
    const standing = standings.get(path);
    const words = standing === undefined ? null : ownException(standing, policy);
    return words === null ? [] : [{ path, words }];
  });
  // a path is the first of its own closure
  const [first, ...others] = all;
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : `; and ${others.length} more of its closure`;
  const whose = first.path === storePath ? '' : `with ${printableText(first.path)}, which is `;
  return `${whose}${first.words}${more}`;
}

function ownException({ release, result }: PathStanding, policy: VerdictPolicy): string | null {
  if (release !== null) return releasedText(release);
  if (result === null) return null;
  const findings = result.findings.filter(
    ({ waivedBy, ...bare }) => waivedBy !== undefined && blocks(bare, policy),
  );
  const waivers = new Set([...findings, ...result.gaps].flatMap(({ waivedBy }) => waivedBy ?? []));
  const [waiver] = waivers;
  if (waiver === undefined) return null;
  const more = waivers.size === 1 ? '' : `, and ${waivers.size - 1} more`;
  return `waived by ${printableText(waiver)}${more}`;
}
