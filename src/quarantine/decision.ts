/** What a person decided about an output, as the audit trail has it. */
interface Decided {
  /** Number of its record in the audit trail. */
  readonly sequence: number;
  /** File of that trail where it is not this user's own, who cannot lift what stands there. */
  readonly trail?: string;
  readonly reason: string;
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Beats every clean: the output with this hash part, or this content under whatever name, stays here. */
export interface Denial extends Decided {
  /** As it was named, if it was. */
  readonly storePath: string | null;
  readonly hashPart: string | null;
  readonly narHash: string | null;
}

/** Lets one content of one store path out in spite of exactly these findings and gaps. */
export interface Release extends Decided {
  readonly storePath: string;
  readonly narHash: string;
  /** Ids of findings and gaps (report/ids.ts), sorted. What blocks and is not among them blocks again. */
  readonly covers: readonly string[];
  /** Milliseconds since 1970 from which on it counts no more; null: never. */
  readonly expires: number | null;
}

/** Decisions that count now, of all audit trails that count here: a denial of any of them denies. */
export interface Decisions {
  /**
   * Looks at what was decided since they were opened: a scan may take hours.
   * @throws NarScanError AUDIT_BROKEN, AUDIT_TRUNCATED, STATE_UNREADABLE, STATE_UNSAFE
   */
  refresh(): void;
  denial(storePath: string, narHash: string | null): Denial | null;
  /** @param blocking ids of what blocks the output today; where there are none, nothing is released */
  release(storePath: string, narHash: string, blocking: readonly string[], now: Date): Release | null;
}

/** All that counts now, for those who list and lift it. */
export interface AllDecisions extends Decisions {
  /** Another text whenever something was decided or taken back. */
  fingerprint(): string;
  denials(): readonly Denial[];
  /** Denials of a store path or a content. */
  denialsOf(storePath: string, narHash: string | null): readonly Denial[];
  /** Those that have not expired, whatever they cover. */
  releases(now: Date): readonly Release[];
  /** Such ones of one content of one store path. */
  releasesOf(storePath: string, narHash: string, now: Date): readonly Release[];
}
