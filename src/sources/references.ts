import type { ByteString } from '../model/bytes.ts';
import type { Finding, OutputFacts } from '../model/facts.ts';
import { parseStorePathName } from '../nix/storePath.ts';
import type { NeedleSet } from '../needles/compile.ts';

/**
 * Weighs store aliases anew once all references are known: from the Nix database, or from an export
 * stream, which tells them after the NAR: a hash that is neither the output's own nor a reference's is another's example in plain
 * bytes, for Nix's own scan would have recorded an input; one that is counts also where it may stand
 * behind another constant. (DESIGN.md, "store-alias".)
 *
 * @param paths the output's own store path and its references
 */
export function softenKnownReferences<Facts extends Pick<OutputFacts, 'findings'>>(
  facts: Facts,
  paths: readonly ByteString[],
  set: Pick<NeedleSet, 'homes' | 'aliases'>,
): Facts & { findings: Finding[] } {
  const known = new Set<string>();
  for (const path of paths) {
    const parts = parseStorePathName(path.slice(path.lastIndexOf('/') + 1));
    if (parts !== null) known.add(parts.hashPart);
  }
  const findings = facts.findings.map((finding): Finding => {
    if (isForeign(finding, known, set)) return softened(finding);
    const { rule, severity, hashPart } = finding;
    const doubtful = rule === 'store-alias' && severity === 'warning';
    return doubtful && hashPart !== null && known.has(hashPart) ? { ...finding, severity: 'error' } : finding;
  });
  return { ...facts, findings };
}

function isForeign(
  { rule, carrier, encoding, home, alias, hashPart, location }: Finding,
  known: ReadonlySet<string>,
  set: Pick<NeedleSet, 'homes' | 'aliases'>,
): boolean {
  if (rule !== 'store-alias' || carrier !== 'bytes' || alias === null || hashPart === null) return false;
  // Nix's own scan cannot see a reference that is written in another encoding, or packed
  if (encoding !== 'plain' || location.container.length > 0) return false;
  if (known.has(hashPart) || set.aliases.includes(alias)) return false;
  return home === null || !set.homes.includes(home);
}

function softened(finding: Finding): Finding {
  return finding.severity === 'error' ? { ...finding, severity: 'warning' } : finding;
}
