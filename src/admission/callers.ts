import type { IncomingHttpHeaders } from 'node:http';
import type { Answer, Caller, Scope } from './contracts.ts';

/** What is known of a request before anybody has looked at its body. */
export interface AccessRequest {
  readonly headers: IncomingHttpHeaders;
  /** Of the other end of the connection; '' for a socket of this machine. */
  readonly address: string;
}

/** Who asks; or what they are told in the place of what they asked for. */
export type Passage =
  | { readonly caller: Caller; readonly refusal: null }
  | {
      readonly caller: null;
      /** Whose token came with it, which is not enough; null: nobody's. */
      readonly name: string | null;
      readonly refusal: Answer;
      /** Headers of that answer, in lower case: how to ask again. */
      readonly headers: Readonly<Record<string, string>>;
    };

/** Says who may do what. */
export interface Callers {
  /**
   * Lets through who may do what takes this scope. To be asked once for a request, before its body is read.
   * @throws NarScanError where what is remembered of a caller cannot be read
   */
  pass(request: AccessRequest, scope: Scope): Promise<Passage>;
}
