import { NarScanError } from '../../model/errors.ts';
import type { Callers } from '../callers.ts';
import type { Catalog } from '../catalog.ts';
import { isLoopback, OpenCallers } from './openCallers.ts';
import { TokenCallers } from './tokenCallers.ts';
import { TokensFile } from './tokensFile.ts';

/** How the command line and the policy say who may do what. */
export interface AccessSettings {
  /** The tokens file; null for none. */
  readonly tokens: string | null;
  readonly noAuth: boolean;
  readonly anonymousRead: boolean;
  /** Where the server listens: a name or an address; null: a socket of this machine. */
  readonly host: string | null;
  readonly catalog: Pick<Catalog, 'homes'>;
  /** Told of a tokens file that cannot be read any more. */
  readonly warn: (error: NarScanError) => void;
  /** Told of a wrong token. */
  readonly failed: (address: string) => void;
}

/**
 * Who may do what. A server that was not told whom to let in lets nobody in: it does not start.
 * @throws NarScanError USAGE_MISSING_VALUE, USAGE_BAD_VALUE, TOKENS_UNREADABLE, TOKENS_INVALID, TOKENS_UNSAFE
 */
export function openCallers(settings: AccessSettings): Callers {
  const { tokens, noAuth, anonymousRead, host, catalog, warn, failed } = settings;
  if (noAuth) {
    if (tokens !== null)
      throw new NarScanError('USAGE_BAD_VALUE', '--tokens and --no-auth exclude each other');
    if (host !== null && !isLoopback(host)) {
      const message = `--no-auth lets everybody do everything, and ${host} is not this machine alone: use --tokens FILE`;
      throw new NarScanError('USAGE_BAD_VALUE', message);
    }
    return new OpenCallers(catalog);
  }
  if (tokens === null) {
    throw new NarScanError(
      'USAGE_MISSING_VALUE',
      'serve needs --tokens FILE, or --no-auth on this machine alone',
    );
  }
  return new TokenCallers({ source: new TokensFile(tokens, warn), catalog, anonymousRead, failed });
}
