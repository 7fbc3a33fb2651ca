import type { ByteString } from '../model/bytes.ts';
import type { Carrier, Encoding, Severity } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import type { Field, Section } from '../formats/ranges.ts';
import type { FieldLeaks } from './fieldLeaks.ts';
import type { ContentFacts, LocalFinding, LocalGap } from './local.ts';
import { pathRunEnd, pathRunStart, textAt, type Span } from './rules/boundaries.ts';
import type { Leak } from './rules/classify.ts';
import { compareSeverity, severityOf } from './rules/severity.ts';

const EVIDENCE_BEFORE = 48;
/** Bytes of text shown behind a leak at most. */
export const EVIDENCE_AFTER = 112;
/** Fields that are looked at to place one leak. */
const FIELDS_PER_STRING = 64;

/** How and where a leak is written whose addresses are those of decoded bytes. */
interface Written {
  readonly encoding: Encoding;
  /** Content offset of the character that its first byte came from. */
  readonly offset: number;
}

/** One leak of a content, before it is known in which field or section it lies. */
interface Sighting {
  readonly leak: Leak;
  readonly encoding: Encoding;
  /** Content offset of the leak's first byte. */
  readonly offset: number;
  /** Content offset right behind the NUL before the leak, or -1 where none is near. */
  readonly stringStart: number;
  readonly evidence: ByteString;
  readonly marked: readonly [number, number];
}

/** Sightings of one kind: the same rule, home and alias, and where an alias leads. */
interface Kind {
  readonly sightings: Sighting[];
  more: number;
}

/** No fields, or none that could be read. */
const NO_FIELDS: FieldLeaks = { leaks: [], complete: true };

/**
 * Gathers the leaks of one content in bounded memory. A file may hold millions of them: the first
 * of each kind are listed, the rest is counted. For a binary all are kept until its tables tell
 * which of them lie in a field, so that a RUNPATH cannot hide behind harmless text.
 */
export class LeakCollector {
  readonly #kinds = new Map<string, Kind>();
  /** Kinds by what they would be in plain bytes: each severity has a share of its own. */
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  #keepAll = false;
  #kept = 0;
  /** Leaks of kinds beyond those that are kept. */
  #dropped = 0;
  /** Leaks of kept kinds that were counted although all were to be kept. */
  #unplaced = 0;
  #lastKey = '';
  #lastKind: Kind | null = null;

  begin(): void {
    if (this.#kinds.size > 0) {
      this.#kinds.clear();
      this.#counts.error = this.#counts.warning = this.#counts.note = 0;
    }
    this.#keepAll = false;
    this.#kept = 0;
    this.#dropped = 0;
    this.#unplaced = 0;
    this.#lastKind = null;
    this.#lastKey = '';
  }

  get empty(): boolean {
    return this.#kinds.size === 0 && this.#dropped === 0;
  }

  /** The content may be a binary with fields: keep every sighting. */
  keepAll(): void {
    this.#keepAll = true;
  }

  /** @param written of bytes that were decoded; else the leak stands in the content as it is */
  add(leak: Leak, span: Span, origin: number, written: Written | null = null): void {
    const kind = this.#kind(leak, written?.encoding ?? 'plain');
    if (kind === null) {
      this.#dropped++;
      return;
    }
    const listed = kind.sightings.length < LIMITS.findingsPerKind;
    if (!listed && !(this.#keepAll && this.#kept < LIMITS.hitsPerBinary)) {
      if (this.#keepAll) this.#unplaced++;
      kind.more++;
      return;
    }
    this.#kept++;
    const seen = sighting(leak, span, origin, listed);
    // no loader reads a field that is encoded: it is one only where it begins with the leak
    kind.sightings.push(written === null ? seen : { ...seen, ...written, stringStart: written.offset });
  }

  /**
   * The findings, in ascending offset, and a gap if not all leaks could be told apart. `binary`:
   * the content has tables, and a leak that was only counted may lie in one of their fields, if it
   * is not among those that `inFields` found there. `text`: what a leak outside all fields is called.
   */
  finish(
    fields: readonly Field[],
    sections: readonly Section[],
    binary: boolean,
    inFields: FieldLeaks = NO_FIELDS,
    text: Carrier = 'bytes',
  ): ContentFacts {
    const findings: LocalFinding[] = [];
    const places = new Places(fields, sections, inFields.complete, text);
    for (const kind of this.#kinds.values()) findings.push(...listed(kind, places));
    findings.push(...unplaced(inFields, places));
    findings.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
    const gaps: LocalGap[] = [];
    const lost = this.#dropped + (binary && !inFields.complete ? this.#unplaced : 0);
    if (lost > 0) {
      const detail = `${lost} more leaks than are kept for one file were not told apart`;
      gaps.push({ reason: 'limit-entries', offset: null, detail });
    }
    return { findings, gaps };
  }

  #kind(leak: Leak, encoding: Encoding): Kind | null {
    const { rule, base, home, alias, hashPart } = leak;
    // what an alias leads to decides when references become known
    const leadsTo = rule === 'store-alias' ? hashPart : null;
    const key = `${encoding}\n${rule}\n${base}\n${home ?? ''}\n${alias ?? ''}\n${leadsTo ?? ''}`;
    if (key === this.#lastKey && this.#lastKind !== null) return this.#lastKind;
    let kind = this.#kinds.get(key) ?? null;
    if (kind === null) {
      if (this.#counts[severityOf(leak, 'bytes')]++ >= LIMITS.kindsPerEntry) return null;
      kind = { sightings: [], more: 0 };
      this.#kinds.set(key, kind);
    }
    this.#lastKey = key;
    this.#lastKind = kind;
    return kind;
  }
}

/** The sightings of one kind as findings: the first of each carrier and field in full, the rest counted. */
function listed(kind: Kind, places: Places): LocalFinding[] {
  const groups = new Map<string, { findings: LocalFinding[]; more: number }>();
  for (const sighting of kind.sightings) {
    const place = places.of(sighting);
    const key = `${place.carrier}\n${place.field ?? ''}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { findings: [], more: 0 }));
    if (group.findings.length >= LIMITS.findingsPerKind) group.more++;
    else group.findings.push(localFinding(sighting, place));
  }
  // what was only counted is text: fields are told apart by keeping every sighting
  const rest = groups.get(`${places.text}\n`) ?? groups.values().next().value;
  if (rest !== undefined) rest.more += kind.more;
  return [...groups.values()].flatMap(({ findings, more }) => {
    const last = findings.at(-1);
    return last === undefined ? [] : [...findings.slice(0, -1), { ...last, more }];
  });
}

/** The leaks of fields that no sighting was placed in, or only a lesser one: strings may overlap others. */
function unplaced({ leaks }: FieldLeaks, places: Places): LocalFinding[] {
  const groups = new Map<string, { finding: LocalFinding; more: number }[]>();
  for (const { field, leak, text } of leaks) {
    const offset = field.offset + leak.start;
    if (places.holds(leak, offset, field.carrier)) continue;
    const key = `${field.name}\n${leak.rule}\n${leak.home ?? ''}\n${leak.alias ?? ''}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = []));
    const last = group.at(-1);
    if (last !== undefined && group.length >= LIMITS.findingsPerKind) {
      last.more++;
      continue;
    }
    const from = Math.max(0, leak.start - EVIDENCE_BEFORE);
    const marked = [leak.start - from, leak.end - from] as const;
    const evidence = text.slice(from, leak.end + EVIDENCE_AFTER);
    const place = { carrier: field.carrier, field: field.name, ...places.section(offset) };
    const finding = localFinding({ leak, encoding: 'plain', offset, evidence, marked }, place);
    group.push({ finding, more: 0 });
  }
  return [...groups.values()].flatMap((group) => group.map(({ finding, more }) => ({ ...finding, more })));
}

interface Place {
  readonly carrier: Carrier;
  readonly field?: string;
  readonly section?: string;
}

function localFinding(
  { leak, encoding, offset, evidence, marked }: Omit<Sighting, 'stringStart'>,
  place: Place,
): LocalFinding {
  const severity = severityOf(leak, place.carrier);
  const { rule, home, alias, hashPart } = leak;
  return {
    rule,
    severity,
    home,
    alias,
    hashPart,
    offset,
    encoding,
    ...place,
    evidence,
    marked,
    more: 0,
  };
}

/** Tells in which field and section of a binary an offset lies. */
class Places {
  readonly #fields: readonly Field[];
  readonly #sections: readonly Section[];
  /** Carriers of the fields in which leaks were placed, by offset and rule. */
  readonly #placed = new Map<string, Carrier>();

  /** Whether every field was read to its end, so that none goes on unseen. */
  readonly #complete: boolean;

  /** What a leak outside all fields is called. */
  readonly text: Carrier;

  constructor(fields: readonly Field[], sections: readonly Section[], complete: boolean, text: Carrier) {
    this.text = text;
    this.#complete = complete;
    this.#fields = [...fields].sort((a, b) => a.offset - b.offset);
    this.#sections = [...sections].sort((a, b) => a.offset - b.offset);
  }

  of({ leak, offset, stringStart }: Sighting): Place {
    const named = this.section(offset);
    let best: Field | null = null;
    const last = lastAtOrBefore(this.#fields, offset);
    // crossed tables may point into one string often: their fields are read one by one besides
    for (let index = last; index >= Math.max(0, last - FIELDS_PER_STRING); index--) {
      const field = this.#fields[index] as Field;
      if (stringStart >= 0 && field.offset < stringStart) break;
      // no NUL near: a field of which not all was read may go on up to here, though not in another section
      if (stringStart < 0 && (this.#complete || this.section(field.offset).section !== named.section)) break;
      if (field.length !== null && offset >= field.offset + field.length) continue;
      if (best === null || isWorse(leak, field.carrier, best.carrier)) best = field;
      if (stringStart < 0) break;
    }
    if (best === null) return { carrier: this.text, ...named };
    this.#placed.set(`${offset}\n${leak.rule}`, best.carrier);
    return { carrier: best.carrier, field: best.name, ...named };
  }

  /** Whether the leak at `offset` was placed in a field where it is as bad as in `carrier`. */
  holds(leak: Leak, offset: number, carrier: Carrier): boolean {
    const placed = this.#placed.get(`${offset}\n${leak.rule}`);
    return placed !== undefined && !isWorse(leak, carrier, placed);
  }

  /** The section that begins nearest before `offset`, if it reaches that far and has a name. */
  section(offset: number): { readonly section?: string } {
    const section = this.#sections[lastAtOrBefore(this.#sections, offset)];
    if (section === undefined || section.name === '' || offset >= section.offset + section.size) return {};
    return { section: section.name };
  }
}

/** Index of the last of those, sorted, that begin at `offset` or before it; -1 where none does. */
function lastAtOrBefore(sorted: readonly { readonly offset: number }[], offset: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as { offset: number }).offset <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function isWorse(leak: Leak, a: Carrier, b: Carrier): boolean {
  return compareSeverity(severityOf(leak, a), severityOf(leak, b)) < 0;
}

function sighting(leak: Leak, span: Span, origin: number, full: boolean): Sighting {
  const { memory, lo } = span;
  const stop = Math.max(lo, leak.start - LIMITS.contextBytes);
  let nul = leak.start;
  while (nul > stop && memory[nul - 1] !== 0) nul--;
  const found = nul > stop || lo === nul;
  const [from, to] = full ? evidenceRange(leak, span) : [leak.start, leak.end];
  return {
    leak,
    encoding: 'plain',
    offset: leak.start - origin,
    stringStart: found ? nul - origin : -1,
    evidence: textAt(span, from, to),
    marked: [leak.start - from, leak.end - from],
  };
}

/** The line or string around the leak, but not much of it. */
function evidenceRange(leak: Leak, span: Span): readonly [number, number] {
  const { memory } = span;
  let from = Math.max(span.lo, pathRunStart(span, leak.start, EVIDENCE_BEFORE));
  while (from > span.lo && leak.start - from < EVIDENCE_BEFORE && isText(memory[from - 1] as number)) from--;
  let to = Math.max(leak.end, pathRunEnd(span, leak.end, EVIDENCE_AFTER));
  while (to < span.hi && to - leak.end < EVIDENCE_AFTER && isText(memory[to] as number)) to++;
  return [from, to];
}

function isText(byte: number): boolean {
  return byte >= 0x20 && byte !== 0x7f;
}
