import type { ByteString } from '../model/bytes.ts';
import type { Carrier } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { readElf } from '../formats/elf/elf.ts';
import {
  CONTENT,
  sniffContent,
  sniffName,
  sniffTail,
  TAIL_BYTES,
  type ContentKind,
} from '../formats/magic.ts';
import { readMacho } from '../formats/macho/macho.ts';
import { readPe } from '../formats/pe/pe.ts';
import type { BinaryFacts, Field, RangeReader, Section } from '../formats/ranges.ts';
import type { Matcher } from '../kernel/matcher.ts';
import type { NeedleSet } from '../needles/compile.ts';
import { ByteSearch } from './byteSearch.ts';
import { carrierOfFile } from './carriers.ts';
import type { ContentDigest } from './contentDigest.ts';
import { leaksInFields, type FieldLeaks } from './fieldLeaks.ts';
import { LeakCollector } from './leakCollector.ts';
import { NO_FACTS, type ContentFacts, type LocalGap, type Opening } from './local.ts';
import type { Classifier } from './rules/classify.ts';

const SHEBANG_BYTES = 4096;
/** First bytes by which the kind of a text is told. */
const CARRIER_HEAD_BYTES = 256;
/** What reads the tables of each kind of binary. */
const BINARIES = { elf: readElf, macho: readMacho, 'macho-fat': readMacho, pe: readPe } as const;
/** Fields that nobody could read. */
const UNREAD: FieldLeaks = { leaks: [], complete: false };

/** What the inspection of contents depends on besides the needles. */
export interface InspectOptions {
  /** Whether containers are opened; else each is a gap. */
  readonly opens: boolean;
  /** Where facts are to be told with the digest of the content that they are about. */
  readonly digest?: ContentDigest | null;
}

/**
 * Inspects the bytes of one content after another: the search over all of them, and what the
 * content's format says about the places of the hits. The bytes lie in the matcher's memory.
 */
export class ContentInspector {
  readonly #memory: Uint8Array;
  readonly #search: ByteSearch;
  readonly #leaks = new LeakCollector();
  readonly #set: NeedleSet;
  readonly #classifier: Classifier;
  readonly #options: InspectOptions;
  readonly #digest: ContentDigest | null;
  readonly #containers = new Map<ContentKind, ContentFacts>();

  constructor(matcher: Matcher, set: NeedleSet, classifier: Classifier, options: InspectOptions) {
    this.#memory = matcher.memory;
    this.#search = new ByteSearch(matcher, set, classifier, this.#leaks);
    this.#set = set;
    this.#classifier = classifier;
    this.#options = options;
    this.#digest = options.digest ?? null;
  }

  /** A content that lies whole in memory[start, end). `name`: its path in the output; some kinds are told by it. */
  whole(name: ByteString, start: number, end: number): ContentFacts {
    const facts = this.#whole(name, start, end);
    if (this.#digest === null || saysNothing(facts)) return facts;
    this.#digest.update(this.#memory.subarray(start, end));
    return { ...facts, digest: this.#digest.finish() };
  }

  #whole(name: ByteString, start: number, end: number): ContentFacts {
    const size = end - start;
    if (size === 0) return NO_FACTS;
    this.#search.begin(start, 0);
    const kind = sniffContent(this.#memory, start, size, size) ?? sniffName(name, this.#memory, start, size);
    if (isBinary(kind)) this.#leaks.keepAll();
    this.#search.extend(end, true);
    if (this.#leaks.empty && !isBinary(kind) && this.#search.magics.embedded.length === 0) {
      // an archive's own end record says nothing new
      if (this.#search.magics.tail < 0 || kind === 'zip') {
        return kind !== null && CONTENT[kind].container ? this.#containerOnly(kind) : NO_FACTS;
      }
    }
    return this.#facts(
      name,
      kind,
      new MemoryRange(this.#memory, start, size),
      this.#memory.subarray(start, end),
    );
  }

  /** A content starts at `address` with its offset `offset` and comes in pieces. */
  begin(address: number, offset = 0): void {
    this.#search.begin(address, offset);
    this.#leaks.keepAll();
  }

  /** The content now reaches up to `end`; `final`: and no further. */
  extend(end: number, final: boolean): void {
    this.#digest?.update(this.#memory.subarray(this.#search.end, end));
    this.#search.extend(end, final);
  }

  /** See {@link ByteSearch.keepFrom}. */
  get keepFrom(): number {
    return this.#search.keepFrom;
  }

  get end(): number {
    return this.#search.end;
  }

  /** Address of a byte of the content, which must still be at hand. */
  addressOf(offset: number): number {
    return this.#search.addressOf(offset);
  }

  /** The kind of a content by its first bytes (64 KiB, or all there are) and its name. */
  kindOf(name: ByteString, head: Uint8Array, size: number | null = null): ContentKind | null {
    return sniffContent(head, 0, head.length, size) ?? sniffName(name, head, 0, head.length);
  }

  /** Offset from which on the content may have to be read again, as far as the search has seen; or -1. */
  get firstMagic(): number {
    return this.#search.magics.first;
  }

  moved(distance: number): void {
    this.#search.moved(distance);
  }

  /**
   * The facts of a content that came in pieces and ended as announced. `head` are its first bytes
   * (64 KiB, or all there are), `reader` gives its tables.
   */
  finish(name: ByteString, head: Uint8Array, reader: RangeReader): ContentFacts {
    const facts = this.#finish(name, head, reader);
    const digest = this.#digest?.finish();
    return digest === undefined || saysNothing(facts) ? facts : { ...facts, digest };
  }

  #finish(name: ByteString, head: Uint8Array, reader: RangeReader): ContentFacts {
    const kind = this.kindOf(name, head, reader.size);
    const { tail, embedded } = this.#search.magics;
    if (kind === null && this.#leaks.empty && tail < 0 && embedded.length === 0) return NO_FACTS;
    return this.#facts(name, kind, reader, head);
  }

  /** The leaks of bytes whose format nobody knows. */
  rest(): ContentFacts {
    this.#digest?.finish();
    return this.#leaks.finish([], [], true, UNREAD);
  }

  /** The facts of a content that broke off. */
  broken(gap: LocalGap): ContentFacts {
    // what is there of it is another content
    this.#digest?.finish();
    const { findings, gaps } = this.#leaks.finish([], [], true, UNREAD);
    return { findings, gaps: [...gaps, gap] };
  }

  /** What the last bytes say, where the search saw a magic among them. Bytes that are not to be had are a gap. */
  #sniffTail(reader: RangeReader, gaps: LocalGap[]): ContentKind | null {
    const from = Math.max(0, reader.size - TAIL_BYTES);
    if (this.#search.magics.tail < from) return null;
    const tail = reader.read(from, reader.size - from);
    if (tail !== null) return sniffTail(tail, 0, tail.length, reader.size);
    gaps.push({ reason: 'unreadable', offset: from, detail: 'its last bytes could not be read again' });
    return null;
  }

  #facts(name: ByteString, kind: ContentKind | null, reader: RangeReader, head: Uint8Array): ContentFacts {
    const gaps: LocalGap[] = [];
    let fields: readonly Field[] = [];
    let sections: readonly Section[] = [];
    if (isBinary(kind)) {
      const binary = BINARIES[kind](reader);
      if (binary !== null) {
        ({ fields, sections } = binary);
        gaps.push(...binaryGaps(binary));
      }
    } else if (kind === 'shebang') {
      const line = shebang(reader);
      if (line !== null) fields = [line];
      else gaps.push({ reason: 'unreadable', offset: 0, detail: 'its first line could not be read again' });
    }
    const container = kind !== null && CONTENT[kind].container ? kind : null;
    const opening: Opening = {
      head: container,
      // scripts, programs and images may carry an archive behind themselves
      tail: container === 'zip' ? null : this.#sniffTail(reader, gaps),
      archiveEnds: container === 'zip' ? [] : this.#search.magics.archiveEnds,
      sections: sections.filter(({ compressed }) => compressed !== null),
      embedded: this.#search.magics.embedded,
      lostFrom: this.#search.magics.lostFrom,
    };
    if (!this.#options.opens) gaps.push(...unopened(opening));
    const inFields = this.#search.hasHits
      ? leaksInFields(fields, reader, this.#set, this.#classifier)
      : { leaks: [], complete: true };
    // most have no leak to be called anything
    const found =
      this.#leaks.empty && inFields.leaks.length === 0
        ? NO_FACTS
        : this.#leaks.finish(fields, sections, isBinary(kind), inFields, carrierOf(name, head));
    return {
      findings: found.findings,
      gaps: [...gaps, ...found.gaps],
      ...(this.#options.opens && holdsAnything(opening) ? { opening } : {}),
    };
  }

  /** Many files are nothing but a container: they share one object. */
  #containerOnly(kind: ContentKind): ContentFacts {
    let facts = this.#containers.get(kind);
    if (facts === undefined) {
      const opening: Opening = {
        head: kind,
        tail: null,
        archiveEnds: [],
        sections: [],
        embedded: [],
        lostFrom: null,
      };
      facts = this.#options.opens
        ? { findings: [], gaps: [], opening }
        : { findings: [], gaps: unopened(opening), common: true };
      this.#containers.set(kind, facts);
    }
    return facts;
  }
}

function saysNothing({ findings, gaps, opening }: ContentFacts): boolean {
  return findings.length === 0 && gaps.length === 0 && opening === undefined;
}

/** What a leak in text is called here. */
function carrierOf(name: ByteString, head: Uint8Array): Carrier {
  return carrierOfFile(name, head.subarray(0, CARRIER_HEAD_BYTES)) ?? 'bytes';
}

/** The gaps of what is not opened because of its depth. */
export function unopened({ head, tail, sections }: Opening): readonly LocalGap[] {
  const gaps: LocalGap[] = [];
  for (const kind of [head, tail]) {
    if (kind === null) continue;
    gaps.push({ reason: 'limit-depth', offset: null, detail: `${kind} container was not opened` });
  }
  for (const { name, offset, compressed } of sections) {
    const detail = `a section packed by ${compressed} was not opened`;
    gaps.push({ reason: 'limit-depth', offset, section: name, detail });
  }
  return gaps;
}

function holdsAnything({ head, tail, archiveEnds, sections, embedded }: Opening): boolean {
  return [archiveEnds, sections, embedded].some(({ length }) => length > 0) || head !== null || tail !== null;
}

function binaryGaps({ format, faults }: BinaryFacts): LocalGap[] {
  return faults.map(({ kind, offset, detail }) => ({
    reason: kind === 'corrupt' ? 'corrupt' : 'limit-memory',
    offset,
    detail: `${format} tables: ${detail}`,
  }));
}

/** Whether hits may lie in fields, so that all must be kept until the tables are known. */
export function isBinary(kind: ContentKind | null): kind is keyof typeof BINARIES {
  return kind !== null && kind in BINARIES;
}

/** The first line of a script, as a field; null where it is not to be had. */
function shebang(reader: RangeReader): Field | null {
  const head = reader.read(0, Math.min(reader.size, SHEBANG_BYTES, LIMITS.binaryHeadBytes));
  if (head === null) return null;
  const newline = head.indexOf(0x0a);
  return { carrier: 'shebang', name: '#!', offset: 0, length: newline < 0 ? head.length : newline };
}

/** Random access to what lies in memory[start, start + size). */
export class MemoryRange implements RangeReader {
  readonly #memory: Uint8Array;
  readonly #start: number;
  readonly size: number;

  constructor(memory: Uint8Array, start: number, size: number) {
    this.#memory = memory;
    this.#start = start;
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array | null {
    if (offset < 0 || length < 0 || offset + length > this.size) return null;
    return this.#memory.subarray(this.#start + offset, this.#start + offset + length);
  }
}
