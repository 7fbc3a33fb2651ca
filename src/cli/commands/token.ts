import { makeToken } from '../../admission/access/tokens.ts';
import type { Scope } from '../../admission/contracts.ts';
import { NarScanError } from '../../model/errors.ts';
import { spanOf } from '../../model/when.ts';
import { refuseHome } from '../../needles/homes.ts';
import type { Arguments } from '../arguments.ts';

/** A token that was made: what goes into the tokens file, and what is told only once. */
export interface MadeToken {
  readonly entry: string;
  readonly secret: string;
}

/**
 * Makes a token for the cache server.
 * @throws NarScanError USAGE_MISSING_VALUE, USAGE_BAD_VALUE, USAGE_BAD_HOME
 */
export function newToken(said: Arguments, now: Date): MadeToken {
  const [surplus] = said.targets;
  if (surplus !== undefined) {
    throw new NarScanError('USAGE_BAD_VALUE', `token new takes no argument such as '${surplus}'`);
  }
  const name = said.last('name');
  if (name === null) throw new NarScanError('USAGE_MISSING_VALUE', 'token new needs --name NAME');
  const scopes = said.all('scope').flatMap((list) => list.split(',') as Scope[]);
  if (scopes.length === 0) throw new NarScanError('USAGE_MISSING_VALUE', 'token new needs --scope SCOPE,...');
  const homes = said.all('home');
  for (const home of homes) {
    const refusal = refuseHome(home);
    if (refusal !== null) throw new NarScanError('USAGE_BAD_HOME', `'${home}' ${refusal}`);
  }
  return makeToken({ name, scopes: [...new Set(scopes)], homes, expires: dayOf(said.last('expires'), now) });
}

/** The day on which a token counts no more; a span ends with its last day. */
function dayOf(expires: string | null, now: Date): string | null {
  if (expires === null) return null;
  const span = spanOf(expires);
  if (span === null) return expires;
  return new Date(now.getTime() + span + 86_400_000).toISOString().slice(0, 10);
}
