import { NarScanError } from '../../model/errors.ts';
import type { AccessRequest, Callers, Passage } from '../callers.ts';
import type { Catalog } from '../catalog.ts';
import { ANONYMOUS, type Scope } from '../contracts.ts';
import { secretOf, tokenOf } from './credentials.ts';
import { Failures } from './failures.ts';
import { refused } from './refused.ts';
import type { Token } from './tokens.ts';

/** What callers are told apart by. */
export interface TokenCallersOptions {
  /** As they are now. */
  readonly source: { readonly tokens: readonly Token[] };
  readonly catalog: Pick<Catalog, 'homes'>;
  /** Whether whoever has no token may read. */
  readonly anonymousRead: boolean;
  /** Told of a wrong token, while there are not too many of them. */
  readonly failed: (address: string) => void;
  readonly now?: () => number;
}

/** Lets through who has a token with the right scope. */
export class TokenCallers implements Callers {
  readonly #options: TokenCallersOptions;
  readonly #failures = new Failures();

  constructor(options: TokenCallersOptions) {
    this.#options = options;
  }

  async pass({ headers, address }: AccessRequest, scope: Scope): Promise<Passage> {
    const { source, catalog, anonymousRead, failed, now = Date.now } = this.#options;
    const secret = secretOf(headers.authorization);
    if (secret === null) {
      if (scope === 'read' && anonymousRead) {
        return { caller: { name: ANONYMOUS, scopes: new Set(['read']), homes: [] }, refusal: null };
      }
      return refused(new NarScanError('ACCESS_NO_TOKEN', `this takes a token with the scope ${scope}`), null);
    }
    const at = now();
    const token = tokenOf(secret, source.tokens, at);
    if (token === null) {
      if (this.#failures.add(address, at)) {
        return refused(
          new NarScanError('ACCESS_TOO_MANY', 'too many wrong tokens came from this address'),
          null,
        );
      }
      failed(address);
      return refused(new NarScanError('ACCESS_UNKNOWN_TOKEN', 'the server does not know this token'), null);
    }
    const { name, scopes, homes } = token;
    if (!scopes.has(scope)) {
      const message = `the token '${name}' lacks the scope ${scope}`;
      return refused(new NarScanError('ACCESS_SCOPE', message), name);
    }
    const registered = await catalog.homes(name);
    return { caller: { name, scopes, homes: [...new Set([...homes, ...registered])] }, refusal: null };
  }
}
