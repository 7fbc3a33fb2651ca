import type { Admission, PublishedPath, ReceivedNar } from './contracts.ts';

/** An upload that was refused, so that the same bytes are refused before they are sent again. */
export interface RefusedNar {
  readonly fileHash: string;
  readonly narHash: string | null;
  /** Its id in the quarantine; null where it could not be kept. */
  readonly id: string | null;
  readonly status: 403 | 422;
  readonly line: string;
  /** Fingerprint of rules, policy and approvals under which it was refused: under another one it is judged anew. */
  readonly judgedBy: string;
  readonly at: number;
}

/** A home that a reviewer has settled: it is no reason to hold anything any more. */
export interface Approval {
  readonly home: string;
  readonly reason: string;
  readonly actor: string;
  readonly at: number;
}

export type PathAndContent = Pick<PublishedPath, 'storePath' | 'narHash'>;

/** Whether two are one path with one content. */
export function isSamePath(one: PathAndContent, other: PathAndContent): boolean {
  return one.storePath === other.storePath && one.narHash === other.narHash;
}

/** A path that is to be published, as far as another one may be in its way. */
export type NewPath = PathAndContent &
  Pick<PublishedPath, 'hashPart' | 'narName' | 'fileHash' | 'verdict' | 'isUninspected'>;

/**
 * The memory of the server. What it says is published is served, nothing else. Every method that changes something
 * resolves when the change outlives a crash of the process; `publish` also one of the machine.
 */
export interface Catalog {
  received(name: string): Promise<ReceivedNar | null>;
  /** One of the same name and hash is replaced. */
  receive(nar: ReceivedNar): Promise<void>;
  /**
   * Received before `at` and not published since, with what waits for them since then; they are forgotten. What is
   * published is forgotten as received with it.
   * @returns their files, for whoever deletes them
   */
  forgetReceived(before: number): Promise<readonly string[]>;
  /** Files of all that is received. */
  receivedFiles(): Promise<ReadonlySet<string>>;

  refused(fileHash: string): Promise<RefusedNar | null>;
  refuse(nar: RefusedNar): Promise<void>;

  published(hashPart: string): Promise<PublishedPath | null>;
  /**
   * A published path whose NAR has this name, or had it before the same NAR was sent under another compression.
   * @param counts which of them may be it; every one where it is left out
   */
  publishedNar(name: string, counts?: (path: PublishedPath) => boolean): Promise<PublishedPath | null>;
  /** Which of the store paths are published, under just these names. @param counts as of {@link publishedNar} */
  publishedAmong(
    storePaths: readonly string[],
    counts?: (path: PublishedPath) => boolean,
  ): Promise<ReadonlySet<string>>;
  /**
   * What keeps a path from being published: one with the same hash part (store path, NarHash) or the same name of its
   * NAR (NarHash, FileHash), and another content. What a dry run let in gives way to what is admitted.
   */
  inTheWay(path: NewPath): Promise<PublishedPath | null>;
  /**
   * @returns the path that is published from now on: this one, or what is {@link inTheWay}, and then nothing is
   * changed. The same NAR and narinfo stay known as what they were, where they were admitted then and would not be so
   * now; NARs of the path that were never inspected and admitted are not published any more.
   */
  publish(path: PublishedPath): Promise<PublishedPath>;
  /** The latest first. @param after the last one of the page before: many may be of one millisecond */
  publishedPaths(
    most: number,
    after?: { readonly at: number; readonly hashPart: string },
  ): Promise<readonly PublishedPath[]>;

  /** Homes that a token has registered. */
  homes(token: string): Promise<readonly string[]>;
  /** Never takes one away. */
  addHomes(token: string, homes: readonly string[]): Promise<void>;

  approvals(): Promise<readonly Approval[]>;
  approve(approval: Approval): Promise<void>;

  /** Small objects that only ever have their first value: realisations, logs, debuginfo. Listings lie in the storage. */
  object(name: string): Promise<{ readonly bytes: Buffer; readonly type: string } | null>;
  /**
   * @param stale a value that gives way, if it is still the one
   * @returns whether it has this value now
   */
  putObject(name: string, bytes: Uint8Array, type: string, stale?: Uint8Array | null): Promise<boolean>;
  /** Debuginfo that came before its NAR: kept until that is published. */
  awaitNar(narName: string, object: string, member: string): Promise<void>;
  awaiting(narName: string): Promise<readonly { readonly object: string; readonly member: string }[]>;

  tell(admission: Admission): Promise<void>;
  /** Of the last so many hours, one entry an hour, the oldest first. */
  hours(count: number, now: number): Promise<readonly AdmissionHour[]>;
  close(): Promise<void>;
}

/** What happened in one hour. */
export interface AdmissionHour {
  /** Its beginning, milliseconds since 1970. */
  readonly from: number;
  readonly admitted: number;
  readonly refused: number;
  readonly held: number;
  readonly incomplete: number;
  readonly malformed: number;
  readonly bytes: number;
}
