import type { ByteString } from '../model/bytes.ts';
import type { NeedleSet } from '../needles/compile.ts';
import type { LocalFinding } from './local.ts';
import type { Classifier } from './rules/classify.ts';
import { leaksInText } from './rules/text.ts';
import { severityOf } from './rules/severity.ts';

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
    const severity = severityOf(leak, 'entry-name');
    return {
      rule: leak.rule,
      severity: leak.rule === 'foreign-home' && severity === 'error' ? 'warning' : severity,
      carrier: 'entry-name',
      encoding: 'plain',
      home: leak.home,
      alias: leak.alias,
      hashPart: leak.hashPart,
      offset: null,
      evidence: relative,
      marked: [Math.max(0, leak.start - added), Math.min(leak.end, path.length) - added],
      more: 0,
    };
  });
}
