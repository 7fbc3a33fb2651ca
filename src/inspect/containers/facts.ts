import type { ByteString } from '../../model/bytes.ts';
import type { GapReason, Severity } from '../../model/facts.ts';
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

const OUTPUT_LIMITS = new Set<GapReason>(['limit-size', 'limit-entries', 'limit-time']);

/** Gathers the facts of one content and of all that it holds, in bounded memory. */
export class FactBag {
  readonly #findings: LocalFinding[] = [];
  readonly #gaps: LocalGap[] = [];
  readonly #kept: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  #lost = 0;
  /** What was said of limits. */
  readonly #limits = new Set<string>();

  finding(finding: LocalFinding): void {
    if (this.#kept[finding.severity]++ < LIMITS.factsPerContainer) this.#findings.push(finding);
    else this.#lost += 1 + finding.more;
  }

  gap(gap: LocalGap): void {
    // a limit of the whole output ends everything that is open: it is told once, where it was reached
    if (OUTPUT_LIMITS.has(gap.reason)) {
      if (this.#limits.has(gap.detail)) return;
      this.#limits.add(gap.detail);
    }
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

/** What a leak says, wherever it stands. */
function kindOf({ rule, home, alias, encoding }: LocalFinding): string {
  return `${rule}\n${home ?? ''}\n${alias ?? ''}\n${encoding}`;
}

/** How many leaks of each kind findings stand for, those that are counted only among them. */
function totals(findings: readonly LocalFinding[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const finding of findings) {
    const kind = kindOf(finding);
    sums.set(kind, (sums.get(kind) ?? 0) + 1 + finding.more);
  }
  return sums;
}

function withoutRepeats(findings: readonly LocalFinding[]): readonly LocalFinding[] {
  const inPlace = findings.filter(
    ({ inPlace, outerOffset }) => inPlace === true && typeof outerOffset === 'number',
  );
  if (inPlace.length === 0) return findings;
  const better = new Map(inPlace.map((finding) => [key(finding, finding.outerOffset ?? 0), finding]));
  const isRepeat = (finding: LocalFinding): boolean => {
    if (finding.container !== undefined || finding.offset === null) return false;
    const other = better.get(key(finding, finding.offset));
    return other !== undefined && compareSeverity(other.severity, finding.severity) <= 0;
  };
  const told = totals(inPlace);
  const whole = totals(findings.filter(({ container }) => container === undefined));
  const alone = totals(findings.filter((finding) => finding.container === undefined && !isRepeat(finding)));
  return findings.filter((finding) => {
    if (!isRepeat(finding)) return true;
    if (finding.more === 0) return false;
    // those that it only counts are told, too, if the parts have as many
    const kind = kindOf(finding);
    return (told.get(kind) ?? 0) < (whole.get(kind) ?? 0) - (alone.get(kind) ?? 0);
  });
}
