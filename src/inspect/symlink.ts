import type { ByteString } from '../model/bytes.ts';
import type { NeedleSet } from '../needles/compile.ts';
import type { LocalFinding } from './local.ts';
import type { Classifier, Leak } from './rules/classify.ts';
import { plainPath } from './rules/plainPath.ts';
import { severityOf } from './rules/severity.ts';
import { leaksInText } from './rules/text.ts';

/**
 * Leaks in a link target: as it is written, and as it resolves, by text alone, when it climbs out
 * of the output (`../../../gpfs/u17/nix/store/…`) or is not written plainly (`/data/../home/zoe`).
 */
export function inspectSymlink(
  entry: ByteString,
  target: ByteString,
  set: NeedleSet,
  classifier: Classifier,
): readonly LocalFinding[] {
  const resolved = target.startsWith('/') ? plainPath(target) : climb(entry, target, set.storeDir);
  // with a slash behind it, a target that is `/root` names a home too
  const written = leaksInText(`${target}/`, set, classifier).filter(
    // what stays in the output is no path of this machine, unless it spells one that is known
    ({ rule }) => resolved !== null || rule === 'known-home' || rule === 'store-alias',
  );
  const climbed =
    resolved === null || resolved === target ? [] : leaksInText(`${resolved}/`, set, classifier);
  const findings = written.map((leak) => {
    // a climb hides where the path starts, and with it the alias
    const alias = leak.alias ?? climbed.find((other) => other.home === leak.home)?.alias ?? null;
    return finding({ ...leak, alias }, target, leak.start);
  });
  for (const leak of climbed) {
    if (written.some((other) => other.home === leak.home && other.rule === leak.rule)) continue;
    findings.push(finding({ ...leak, start: 0, end: target.length }, target, 0));
  }
  return findings;
}

function finding(leak: Leak, target: ByteString, offset: number): LocalFinding {
  return {
    rule: leak.rule,
    severity: severityOf(leak, 'symlink'),
    carrier: 'symlink',
    encoding: 'plain',
    home: leak.home,
    alias: leak.alias,
    hashPart: leak.hashPart,
    offset,
    evidence: target,
    marked: [leak.start, leak.end],
    more: 0,
  };
}

/**
 * Where a relative target that leaves the output ends up, seen from the logical store; null where
 * it is absolute or stays inside. Purely lexical: the link may stand in a NAR.
 */
export function climb(entry: ByteString, target: ByteString, storeDir: ByteString): ByteString | null {
  if (target.startsWith('/')) return null;
  let inside = entry === '' ? 0 : entry.split('/').length - 1;
  let outside = entry === '' ? 1 : 0; // a link that is the output itself is resolved from the store dir
  const tail: string[] = [];
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') tail.push(part);
    else if (tail.length > 0) tail.pop();
    else if (inside > 0) inside--;
    else outside++;
  }
  if (outside === 0) return null;
  const store = storeDir.split('/').filter((part) => part !== '');
  const base = store.slice(0, Math.max(0, store.length - outside + 1));
  return `/${[...base, ...tail].join('/')}`;
}
