import type { ByteString } from '../../model/bytes.ts';
import type { Gap, Rule, TracedFinding, Verdict } from '../../model/facts.ts';
import type { Denial, Release } from '../../quarantine/decision.ts';
import type { AuditRecord, QuarantinedRecord } from '../../quarantine/trail/record.ts';
import type { AdmissionHour, Approval } from '../catalog.ts';
import type { PublishedPath } from '../contracts.ts';

/*
 * What the pages show. A page is a function of one of these and nothing else.
 */

/** Which outputs are wanted; empty texts and null leave a question open. */
export interface OutputsQuery {
  /** A part of a store path, or the beginning of an id. */
  readonly text: string;
  readonly home: string;
  readonly rule: Rule | null;
  readonly verdict: Exclude<Verdict, 'clean'> | null;
  readonly standing: OutputStanding | null;
  /** As {@link AGES} names it; null: whatever its age. */
  readonly age: Age | null;
  /** Number of the record before which they are wanted; null: from the latest on. */
  readonly before: number | null;
}

export const AGES = ['24h', '7d', '30d'] as const;
type Age = (typeof AGES)[number];

export const OUTPUT_STANDINGS = ['undecided', 'released', 'denied'] as const;
export type OutputStanding = (typeof OUTPUT_STANDINGS)[number];

/** An output in a list. */
export interface ListedOutput {
  readonly record: QuarantinedRecord;
  readonly standing: OutputStanding;
  /** Bytes of the kept NAR; null where none is kept. */
  readonly kept: number | null;
}

export interface OutputsView {
  readonly query: OutputsQuery;
  readonly outputs: readonly ListedOutput[];
  /** Number of the record to go on from; null where there are no more. */
  readonly next: number | null;
  readonly hours: readonly AdmissionHour[];
  readonly now: number;
}

/** Bytes of an entry as they lie in the kept NAR, around a leak. */
export interface Surroundings {
  /** Offset of the first of them in the entry. */
  readonly offset: number;
  readonly bytes: Buffer;
}

/** One leak, with what stands around it. */
export interface ShownFinding {
  readonly finding: TracedFinding & { readonly waivedBy?: string };
  /** The approval of its home, where it has one that counts for it. */
  readonly settled: Approval | null;
  /** Null where the evidence is all there is. */
  readonly surroundings: Surroundings | null;
  /** Leaks of the same kind in the same entry besides it. */
  readonly more: number;
}

export interface ShownEntry {
  readonly name: string;
  readonly findings: readonly ShownFinding[];
}

/** What is known of content whose store path nobody has told. */
export interface ContentNames {
  /** Name of the object that was sent; null where that is not known. */
  readonly sentAs: string | null;
  /** Store paths with which the same content was refused, too. */
  readonly paths: readonly string[];
  /** Its first entries, a directory with a slash behind it; none where it is one file, or nothing is kept. */
  readonly entries: readonly ByteString[];
}

export interface OutputView extends ListedOutput {
  /** Null where what was found in it is not there any more. */
  readonly found: {
    readonly entries: readonly ShownEntry[];
    /** Entries with leaks that are not shown. */
    readonly moreEntries: number;
    readonly gaps: readonly (Gap & { readonly waivedBy?: string })[];
    readonly verdict: Verdict;
  } | null;
  /** Null for an output whose store path is known. */
  readonly names: ContentNames | null;
  /** Homes of others that can be settled, and were not. */
  readonly settleable: readonly string[];
  readonly decisions: readonly (Denial | Release)[];
  /** Stands for all that it is kept out for: who releases it says what they have seen. */
  readonly seen: string;
  readonly now: number;
}

export interface TrailView {
  readonly records: readonly {
    readonly record: AuditRecord;
    /** Number of the record that took it back; null where it was not. */
    readonly liftedBy: number | null;
  }[];
  /** Where to go on; null where there are no more. */
  readonly next: number | null;
  readonly now: number;
}

/** A path that was published. */
export interface ListedPath extends PublishedPath {
  /** Whether it can be fetched. */
  readonly isServed: boolean;
  /** Somebody has denied it since. */
  readonly isDenied: boolean;
}

export interface PublishedView {
  readonly paths: readonly ListedPath[];
  readonly isLast: boolean;
  readonly now: number;
}

export interface DenialsView {
  readonly denials: readonly Denial[];
  readonly now: number;
}

export interface HomesView {
  readonly approvals: readonly Approval[];
  readonly now: number;
}
