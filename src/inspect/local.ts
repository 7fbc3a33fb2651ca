import type { ContentKind } from '../formats/magic.ts';
import type { Section } from '../formats/ranges.ts';
import type { ByteString } from '../model/bytes.ts';
import type { Carrier, Encoding, Finding, Gap, GapReason, Rule, Severity } from '../model/facts.ts';

/** Where in an entry something is, as far as it lies in a container there. */
interface Inside {
  /** Names of members from outside in; none for the bytes of the entry itself. */
  readonly container?: readonly ByteString[];
  /** Offset in the entry as it lies on disk; without it, the offset itself. */
  readonly outerOffset?: number | null;
  /** Whether the bytes at `outerOffset` are the ones that were read, neither packed nor cut. */
  readonly inPlace?: boolean;
}

/**
 * A finding that does not yet know its entry: facts of an inode's bytes serve every entry that
 * links to it.
 */
export interface LocalFinding extends Inside {
  readonly rule: Rule;
  readonly severity: Severity;
  readonly carrier: Carrier;
  readonly encoding: Encoding;
  readonly home: ByteString | null;
  readonly alias: ByteString | null;
  /** The hash part behind the alias: references that become known later may soften the finding. */
  readonly hashPart: ByteString | null;
  readonly offset: number | null;
  readonly section?: string;
  readonly field?: string;
  readonly evidence: ByteString;
  readonly marked: readonly [number, number];
  readonly more: number;
}

/** A gap that does not yet know its entry. */
export interface LocalGap extends Inside {
  readonly reason: GapReason;
  readonly offset: number | null;
  readonly section?: string;
  readonly detail: string;
}

/** What the bytes of one file told. */
export interface ContentFacts {
  readonly findings: readonly LocalFinding[];
  readonly gaps: readonly LocalGap[];
  /** What it holds besides, still to be opened. */
  readonly opening?: Opening;
  /** Of the content, where the run asks for it. */
  readonly digest?: string;
  /** One object for all contents of which just this is to be said. */
  readonly common?: true;
}

/** A stream in the middle of a content. */
export interface EmbeddedStream {
  readonly kind: ContentKind;
  readonly offset: number;
}

/** What a search over the plain bytes of a content cannot see. */
export interface Opening {
  /** The container that the content is, by its first bytes or its name. */
  readonly head: ContentKind | null;
  /** The container behind something else, by its last bytes. */
  readonly tail: ContentKind | null;
  /** Where records end that zip archives in its middle end with, in ascending order. */
  readonly archiveEnds: readonly number[];
  /** Sections of a binary that are packed. */
  readonly sections: readonly Section[];
  /** What may be streams in its middle, in ascending offset. */
  readonly embedded: readonly EmbeddedStream[];
  /** Where the first of those begins that were too many to be tried, of these or of archives; null: none were. */
  readonly lostFrom: number | null;
}

export const NO_FACTS: ContentFacts = Object.freeze({ findings: [], gaps: [] });

/** Most facts lie in the bytes of an entry itself: they share it. */
const NO_CONTAINER: readonly ByteString[] = Object.freeze([]);

/** @param digest of the entry's content, where the run asked for it */
export function findingAt(entry: ByteString, local: LocalFinding, digest?: string): Finding {
  const { offset, section, field, container, outerOffset, inPlace: _, ...rest } = local;
  return {
    ...rest,
    location: {
      entry,
      container: container ?? NO_CONTAINER,
      offset,
      outerOffset: outerOffset === undefined ? offset : outerOffset,
      ...(section === undefined ? {} : { section }),
      ...(field === undefined ? {} : { field }),
      ...(digest === undefined ? {} : { digest }),
    },
  };
}

/** @param digest of the entry's content, where the run asked for it */
export function gapAt(entry: ByteString, local: LocalGap, digest?: string): Gap {
  const { reason, offset, section, detail, container = NO_CONTAINER, outerOffset = offset } = local;
  const place = { entry, container, offset, outerOffset };
  if (section === undefined && digest === undefined) return { reason, detail, location: place };
  const location = {
    ...place,
    ...(section === undefined ? {} : { section }),
    ...(digest === undefined ? {} : { digest }),
  };
  return { reason, detail, location };
}
