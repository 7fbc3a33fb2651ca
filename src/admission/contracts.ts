import type { Codec } from '../formats/compression/codec.ts';
import type { OutputFacts } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';
import type { Denial, Release } from '../quarantine/decision.ts';

/*
 * What the parts of the admission check say to each other.
 */

/** What somebody may do: fetch, send, look at and decide about what was refused, everything; have things signed. */
export const SCOPES = ['read', 'push', 'review', 'admin', 'sign'] as const;
export type Scope = (typeof SCOPES)[number];

/** Whoever sends no token. */
export const ANONYMOUS = 'anonymous';

/** Why a text cannot be the name of a token, or null if it can. */
export function refuseTokenName(text: string): string | null {
  if (text === ANONYMOUS) return 'is what whoever has no token is called';
  return /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text)
    ? null
    : 'is no name of 1 to 64 letters, digits and . _ @ -';
}

/** Who asks, once it is known. */
export interface Caller {
  /** Name of the token; `anonymous` for none. */
  readonly name: string;
  /** `admin` includes `read`, `push` and `review`, never `sign`. */
  readonly scopes: ReadonlySet<Scope>;
  /** Homes of the builders behind it: those of the token, and those it has registered. */
  readonly homes: readonly string[];
}

/** What is answered to a request that changes something. The line is the whole body, and the reason phrase. */
export interface Answer {
  /** 4xx is final; 5xx only where sending the same again may truly help. */
  readonly status: 200 | 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 500 | 503;
  /** One line of printable ASCII, less than 1,000 bytes, that a person can act on. */
  readonly line: string;
}

/** A body that lies on disk as a whole. Whoever has it disposes of it, or hands its file on. */
export interface Spooled {
  /** The file, in the server's spool directory. */
  readonly file: string;
  readonly fileSize: number;
}

/** A NAR, as it was found to be, whatever anybody says of it. */
export interface Inspected {
  readonly compression: Codec;
  /** `sha256:<nix32>` of the NAR; null where it is none as a whole. */
  readonly narHash: string | null;
  readonly narSize: number;
  /** `target` is the name of the object, such as `nar/1abc….nar.xz`. */
  readonly facts: OutputFacts;
}

/** What is known of the output beside its bytes. */
export interface InspectionContext {
  /** Homes of the builders, besides those of the configuration. */
  readonly homes: readonly string[];
  /** The store path and what it refers to; null: nobody has told yet. */
  readonly path: { readonly storePath: string; readonly references: readonly string[] } | null;
}

/** What becomes of an upload. */
export interface Ruling {
  /**
   * `held`: nothing but foreign homes that nobody has settled stands against it. `denied`: a person said no.
   * `released`: a person said yes in spite of exactly what was found.
   */
  readonly standing: 'clean' | 'released' | 'contaminated' | 'held' | 'incomplete' | 'denied';
  /** What stands against it is an error here, a foreign home that is held, too; what was approved is waived. */
  readonly result: OutputResult;
  /** What made it `denied` or `released`. */
  readonly decision: Denial | Release | null;
  /** Ids of what stands against it, sorted. */
  readonly blocking: readonly string[];
}

/** A NAR that was admitted or is to be, waiting for its narinfo. */
export interface ReceivedNar {
  /** The object's name as the client gave it: `nar/<nix32 of fileHash>.nar[.ext]`. */
  readonly name: string;
  readonly fileHash: string;
  readonly fileSize: number;
  readonly narHash: string;
  readonly narSize: number;
  readonly compression: Codec;
  /** Where its bytes lie until it is published: a file in the directory of received NARs. */
  readonly file: string;
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A store path that is served. */
export interface PublishedPath {
  readonly hashPart: string;
  readonly storePath: string;
  /** Text of the narinfo as it is served. */
  readonly narInfo: string;
  readonly narName: string;
  readonly narHash: string;
  readonly narSize: number;
  readonly fileHash: string;
  readonly fileSize: number;
  /** Other than `clean` and `released` only where the server refuses nothing (`--dry-run`, `on_failure = "open"`). */
  readonly verdict: Ruling['standing'];
  /** It could not be inspected for a fault of this machine, and the server let that pass (`on_failure = "open"`). */
  readonly isUninspected: boolean;
  /** Fingerprint of all that the facts depend on. */
  readonly rules: string;
  readonly by: string;
  readonly at: number;
}

/** What became of an upload, for the chart and the metrics. */
export interface Admission {
  readonly at: number;
  readonly outcome: 'admitted' | 'refused' | 'held' | 'incomplete' | 'malformed';
  readonly bytes: number;
  readonly milliseconds: number;
}
