import type { ByteString } from '../model/bytes.ts';
import type { Finding, Gap, Severity, Stats } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { EntryList } from './entryList.ts';
import { findingAt, gapAt, type ContentFacts, type LocalFinding, type LocalGap } from '../inspect/local.ts';

/** Facts about one output, or about the part of it that one worker saw. */
export interface PartialFacts {
  readonly findings: Finding[];
  readonly gaps: Gap[];
  readonly stats: Stats;
  /** Facts that were counted but not kept. */
  lost: number;
}

function emptyFacts(): PartialFacts {
  return {
    findings: [],
    gaps: [],
    stats: { entries: 0, files: 0, bytes: 0, expandedBytes: 0, milliseconds: 0 },
    lost: 0,
  };
}

/** A gap that entries have in common, and these in ascending order. */
export interface CommonGap {
  readonly gap: LocalGap;
  readonly entries: readonly ByteString[];
}

/** How many facts are kept: so many of each severity, and so many gaps. */
export class FactRoom {
  readonly #left: Record<Severity | 'gap', number>;

  /** @param notes as many as of the others where it is left out */
  constructor(most: number, notes: number = most) {
    this.#left = { error: most, warning: most, note: notes, gap: most };
  }

  /** Whether one more is kept. */
  takes(kind: Severity | 'gap'): boolean {
    return this.#left[kind]-- > 0;
  }
}

/**
 * Takes facts in bounded memory. Each severity has a share of its own, so that the first errors
 * are kept whatever came before them; what is not kept is counted and becomes a gap.
 */
export class FactSink {
  readonly #facts: PartialFacts = emptyFacts();
  /** Gaps that many entries have in common become facts when they are asked for. */
  readonly #common = new Map<LocalGap, EntryList>();
  readonly #room: FactRoom;

  /** @param room of this output alone where it is left out */
  constructor(room: FactRoom = new FactRoom(LIMITS.factsPerOutput)) {
    this.#room = room;
  }

  get stats(): Stats {
    return this.#facts.stats;
  }

  /** All of them. */
  get facts(): PartialFacts {
    for (const { gap, entries } of this.takeCommon()) {
      for (const entry of entries) this.#facts.gaps.push(gapAt(entry, gap));
    }
    return this.#facts;
  }

  /** Gaps that many entries have in common, which are then no more among the facts. */
  takeCommon(): readonly CommonGap[] {
    const taken = [...this.#common].map(([gap, list]) => ({ gap, entries: list.sorted }));
    this.#common.clear();
    return taken;
  }

  finding(entry: ByteString, local: LocalFinding): void {
    this.addFinding(findingAt(entry, local));
  }

  gap(entry: ByteString, local: LocalGap): void {
    this.addGap(gapAt(entry, local));
  }

  content(entry: ByteString, { findings, gaps, digest, common }: ContentFacts): void {
    for (const finding of findings) this.addFinding(findingAt(entry, finding, digest));
    for (const gap of gaps) {
      if (common === undefined || digest !== undefined) this.addGap(gapAt(entry, gap, digest));
      else if (this.#room.takes('gap')) this.#entriesOf(gap).add(entry);
      else this.#facts.lost++;
    }
  }

  addFinding(finding: Finding): void {
    if (this.#room.takes(finding.severity)) this.#facts.findings.push(finding);
    else this.#facts.lost++;
  }

  addGap(gap: Gap): void {
    if (this.#room.takes('gap')) this.#facts.gaps.push(gap);
    else this.#facts.lost++;
  }

  /** Adds what another part of the same output gave. */
  merge(part: PartialFacts): void {
    for (const finding of part.findings) this.addFinding(finding);
    for (const gap of part.gaps) this.addGap(gap);
    const { stats } = this;
    stats.entries += part.stats.entries;
    stats.files += part.stats.files;
    stats.bytes += part.stats.bytes;
    stats.expandedBytes += part.stats.expandedBytes;
    this.#facts.lost += part.lost;
  }

  /** The facts in their final order, with a gap for those that were not kept. */
  sorted(): PartialFacts {
    const { findings, gaps, stats, lost } = this.facts;
    findings.sort((a, b) => byPlace(a, b) || byText(a.carrier, b.carrier));
    gaps.sort((a, b) => byPlace(a, b) || byText(a.detail, b.detail));
    if (lost > 0) {
      gaps.push(
        gapAt('', { reason: 'limit-entries', offset: null, detail: `${lost} more facts were not kept` }),
      );
    }
    return { findings, gaps, stats, lost };
  }

  #entriesOf(gap: LocalGap): EntryList {
    let entries = this.#common.get(gap);
    if (entries === undefined) this.#common.set(gap, (entries = new EntryList()));
    return entries;
  }
}

function byPlace(a: Finding | Gap, b: Finding | Gap): number {
  const order = byText(a.location.entry, b.location.entry);
  if (order !== 0) return order;
  const offsets = (a.location.offset ?? -1) - (b.location.offset ?? -1);
  return offsets || byText(a.location.container.join('\0'), b.location.container.join('\0'));
}

/** Decides where the place does not: the name and the content of one entry may come from two threads. */
function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
