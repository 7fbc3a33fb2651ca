import type { ByteString } from '../model/bytes.ts';
import type { NeedleSet } from '../needles/compile.ts';
import { nameFinding } from './entryName.ts';
import type { LocalFinding } from './local.ts';
import type { Classifier } from './rules/classify.ts';
import { leaksInText } from './rules/text.ts';

/**
 * Leaks in the name of an archive's member, which most archives write without a leading slash
 * (`home/zoe/x`). A home that is not known counts less than in the output's own tree: root file
 * systems are packed as archives.
 */
export function inspectMemberName(
  name: ByteString,
  set: NeedleSet,
  classifier: Classifier,
): readonly LocalFinding[] {
  const relative = name.startsWith('./') ? name.slice(2) : name;
  const added = /^(?:[/\\]|[A-Za-z]:)/.test(relative) ? 0 : 1;
  // some archives of Windows have its separators
  const path = added === 1 ? `/${relative.replaceAll('\\', '/')}` : relative;
  return leaksInText(`${path}/`, set, classifier).map((leak) => {
    const finding = nameFinding(leak, path, added);
    const lessened = leak.rule === 'foreign-home' && finding.severity === 'error';
    return { ...finding, evidence: relative, ...(lessened ? { severity: 'warning' as const } : {}) };
  });
}
