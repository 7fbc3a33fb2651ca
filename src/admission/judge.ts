import type { OutputFacts } from '../model/facts.ts';
import type { Answer, Caller, Ruling } from './contracts.ts';

/** What is judged, as far as anybody has told. */
export interface Subject {
  /** Null: a NAR whose narinfo has not come. */
  readonly storePath: string | null;
  /** `sha256:<nix32>`; null where it is no NAR as a whole. */
  readonly narHash: string | null;
  /** What it refers to; null: nobody has told yet; `weighed`: nobody will, the facts stand as they are. */
  readonly references: readonly string[] | null | 'weighed';
}

/** A NAR on disk, and the name of its object. */
export interface NarFile {
  readonly file: string;
  readonly name: string;
}

/** Says what becomes of an upload. */
export interface Judge {
  /**
   * Under the policy, the approvals and the decisions of now. Where nobody has told the references, what is no leak
   * for some of them does not stand against it yet: the standing `clean` is a provisional one.
   * @throws NarScanError STATE_UNREADABLE, AUDIT_BROKEN, AUDIT_TRUNCATED, CATALOG_UNREADABLE: nothing is admitted
   */
  rule(facts: OutputFacts, subject: Subject, caller: Caller): Promise<Ruling>;
  /**
   * Puts what does not pass into the quarantine and the audit trail.
   * @param source the NAR to keep, packed or not; it is only read; null: there is none any more
   * @returns what is answered, also where nothing could be kept
   */
  refuse(ruling: Ruling, subject: Subject, source: NarFile | null, caller: Caller): Promise<Refusal>;
  /** What stands against it, for the log where it passes all the same: `contaminated: known-home /home/alice in bin/x (bytes)`. */
  against(ruling: Ruling, subject: Subject): string;
  /** Fingerprint of all that a ruling for this caller depends on, besides the facts of the bytes: rules, policy, approvals, decisions. */
  judgedBy(caller: Caller): Promise<string>;
}

/** What is answered to what does not pass. */
export interface Refusal {
  readonly answer: Answer & { readonly status: 403 | 422 };
  /** Its id in the quarantine; null where it could not be recorded. */
  readonly id: string | null;
}
