import type { ByteString } from '../../model/bytes.ts';
import type { Severity } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { ContentFacts, LocalFinding, LocalGap } from '../local.ts';
import { compareSeverity } from '../rules/severity.ts';

/** Where a part lies in the content that holds it. */
export interface Place {
  /** How the part is called; null: it has no name of its own. */
  readonly label: ByteString | null;
  /** Offset of the part's bytes, packed or not. */
  readonly offset: number | null;
  /** Whether they stand there as they are. */
  readonly stored: boolean;
  /** The part is this section of a binary. */
  readonly section: ByteString | null;
}

/** Gathers the facts of one content and of all that it holds, in bounded memory. */
export class FactBag {
  readonly #findings: LocalFinding[] = [];
  readonly #gaps: LocalGap[] = [];
  readonly #kept: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  #lost = 0;

  finding(finding: LocalFinding): void {
    if (this.#kept[finding.severity]++ < LIMITS.factsPerContainer) this.#findings.push(finding);
    else this.#lost += 1 + finding.more;
  }

  gap(gap: LocalGap): void {
    if (this.#gaps.length < LIMITS.factsPerContainer) this.#gaps.push(gap);
    else this.#lost++;
  }

  /** Facts of this very content. */
  own({ findings, gaps }: ContentFacts): void {
    for (const finding of findings) this.finding(finding);
    for (const gap of gaps) this.gap(gap);
  }

  /** Facts of a part. */
  part(place: Place, { findings, gaps }: ContentFacts): void {
    for (const finding of findings) this.finding({ ...finding, ...placed(place, finding) });
    for (const gap of gaps) this.gap({ ...gap, ...placed(place, gap) });
  }

  /** Everything; what a stored part tells better than the search over the whole is told once. */
  facts(): ContentFacts {
    const gaps = [...this.#gaps];
    if (this.#lost > 0) {
      const detail = `${this.#lost} more facts about what it holds were not kept`;
      gaps.push({ reason: 'limit-entries', offset: null, detail });
    }
    return { findings: withoutRepeats(this.#findings), gaps };
  }
}

function placed(
  { label, offset, stored, section }: Place,
  fact: LocalFinding | LocalGap,
): Pick<LocalFinding, 'container' | 'outerOffset' | 'inPlace'> & { section?: ByteString } {
  const inner = fact.outerOffset === undefined ? fact.offset : fact.outerOffset;
  const exact = stored && offset !== null && inner !== null && fact.inPlace !== false;
  return {
    container: [...(label === null ? [] : [label]), ...(fact.container ?? [])],
    outerOffset: stored && offset !== null && inner !== null ? offset + inner : offset,
    inPlace: exact,
    ...(section === null || fact.section !== undefined ? {} : { section }),
  };
}

/** Where a leak stands and what it says. */
function key({ rule, home, alias, encoding }: LocalFinding, offset: number): string {
  return `${offset}\n${rule}\n${home ?? ''}\n${alias ?? ''}\n${encoding}`;
}

function withoutRepeats(findings: readonly LocalFinding[]): readonly LocalFinding[] {
  const inParts = new Map<string, LocalFinding>();
  for (const finding of findings) {
    if (finding.inPlace !== true || typeof finding.outerOffset !== 'number') continue;
    inParts.set(key(finding, finding.outerOffset), finding);
  }
  if (inParts.size === 0) return findings;
  return findings.filter((finding) => {
    if (finding.container !== undefined || finding.offset === null || finding.more > 0) return true;
    const better = inParts.get(key(finding, finding.offset));
    return better === undefined || compareSeverity(better.severity, finding.severity) > 0;
  });
}
