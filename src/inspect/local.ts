import type { ByteString } from '../model/bytes.ts';
import type { Carrier, Encoding, Finding, Gap, GapReason, Rule, Severity } from '../model/facts.ts';

/**
 * A finding that does not yet know its entry: facts of an inode's bytes serve every entry that
 * links to it.
 */
export interface LocalFinding {
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
export interface LocalGap {
  readonly reason: GapReason;
  readonly offset: number | null;
  readonly section?: string;
  readonly detail: string;
}

/** What the bytes of one file told. */
export interface ContentFacts {
  readonly findings: readonly LocalFinding[];
  readonly gaps: readonly LocalGap[];
}

export const NO_FACTS: ContentFacts = Object.freeze({ findings: [], gaps: [] });

export function findingAt(entry: ByteString, local: LocalFinding): Finding {
  const { offset, section, field, ...rest } = local;
  return {
    ...rest,
    location: {
      entry,
      container: [],
      offset,
      outerOffset: offset,
      ...(section === undefined ? {} : { section }),
      ...(field === undefined ? {} : { field }),
    },
  };
}

export function gapAt(entry: ByteString, local: LocalGap): Gap {
  const { reason, offset, section, detail } = local;
  return {
    reason,
    detail,
    location: {
      entry,
      container: [],
      offset,
      outerOffset: offset,
      ...(section === undefined ? {} : { section }),
    },
  };
}
