import type { ByteString } from '../model/bytes.ts';
import type { Finding, Gap, Stats } from '../model/facts.ts';
import { gapAt } from '../inspect/local.ts';
import type { FactSink, PartialFacts } from '../sources/factSink.ts';

/**
 * Facts on their way between threads. A tree may have tens of thousands of gaps that differ in
 * their entry only (every compressed manual page is one); copied as objects they cost more than
 * the search.
 */
export interface PackedFacts {
  readonly packed: true;
  readonly findings: readonly Finding[];
  readonly gaps: readonly { readonly gap: Gap; readonly entries: string }[];
  readonly stats: Stats;
  readonly lost: number;
}

/** Stands between entries: no file name holds it. */
const SEPARATOR = '\0';

export function packFacts(sink: FactSink): PackedFacts {
  const common = sink.takeCommon();
  const { findings, gaps, stats, lost } = sink.facts;
  const groups = new Map<string, { gap: Gap; entries: ByteString[] }>();
  for (const gap of gaps) {
    const { entry } = gap.location;
    const key = keyOf(gap);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { gap, entries: [entry] });
    else group.entries.push(entry);
  }
  const all = [...common.map(({ gap, entries }) => ({ gap: gapAt('', gap), entries })), ...groups.values()];
  const packed = all.map(({ gap, entries }) => ({ gap, entries: entries.join(SEPARATOR) }));
  return { packed: true, findings, gaps: packed, stats, lost };
}

/** What two gaps that differ in their entry only have in common. */
function keyOf({ reason, detail, location }: Gap): string {
  const { container, offset, outerOffset, section, field, digest } = location;
  if (container.length > 0 || (section ?? field ?? digest) !== undefined) {
    return JSON.stringify([reason, detail, { ...location, entry: '' }]);
  }
  return `${reason}\n${offset}\n${outerOffset}\n${detail}`;
}

/** Facts as they were; those that never left their thread are. */
export function unpackFacts(facts: PackedFacts | PartialFacts): PartialFacts {
  if (!('packed' in facts)) return facts;
  const { findings, gaps, stats, lost } = facts;
  const unpacked: Gap[] = [];
  for (const { gap, entries } of gaps) {
    for (const entry of entries.split(SEPARATOR))
      unpacked.push({ ...gap, location: { ...gap.location, entry } });
  }
  return { findings: [...findings], gaps: unpacked, stats, lost };
}
