import type { Readable } from 'node:stream';
import type { Answer, Caller } from './contracts.ts';

/** What a client sends. */
export interface Body {
  /** Its pieces belong to whoever reads them. */
  readonly stream: Readable;
  /** Content-Length; null where it is not said. */
  readonly length: number | null;
  /** Content-Encoding; null for none. */
  readonly encoding: string | null;
}

/** Takes NARs. */
export interface NarUploads {
  /**
   * What can be answered before the body comes: it is known to be bad, is there already, or has no room.
   * @param name such as `nar/1abc….nar.xz`
   * @returns null: let it come
   */
  before(name: string, length: number | null, caller: Caller): Promise<Answer | null>;
  /** Takes it, searches it while it comes, and answers. Never rejects but for a fault of the program. */
  put(name: string, body: Body, caller: Caller): Promise<Answer>;
}

/**
 * Asks anew who sends something, when it has come: that may take long, and by then a token may be gone.
 * @throws NarScanError ACCESS_UNKNOWN_TOKEN
 */
export type Sender = () => Promise<Caller>;

/** Takes what makes NARs reachable. */
export interface Publications {
  narInfo(hashPart: string, body: Body, sender: Sender): Promise<Answer>;
  /** `<hash part>.ls`, `log/…`, `debuginfo/…`, `realisations/…`, `build-trace-v2/…`; 404 for any other. */
  object(name: string, body: Body, sender: Sender): Promise<Answer>;
  /** `nix-cache-info`: 200 where its StoreDir is the server's. */
  cacheInfo(body: Body): Promise<Answer>;
}
