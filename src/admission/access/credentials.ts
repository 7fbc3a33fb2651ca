import { timingSafeEqual } from 'node:crypto';
import { digestOfSecret, isSecret, type Token } from './tokens.ts';

const AUTHORIZATION = /^(?<scheme>basic|bearer) +(?<value>[A-Za-z0-9._~+/-]+=*) *$/i;

/**
 * The secret that a request carries in its header `Authorization`: the password of Basic, whatever the user is called
 * (netrc files and URLs must have a name), or what Bearer says. `null` where there is none; '' for what is no secret.
 */
export function secretOf(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const { scheme = '', value = '' } = AUTHORIZATION.exec(authorization)?.groups ?? {};
  const secret = scheme.toLowerCase() === 'basic' ? passwordOf(value) : value;
  return isSecret(secret) ? secret : '';
}

function passwordOf(value: string): string {
  const pair = Buffer.from(value, 'base64').toString('latin1');
  return pair.slice(pair.indexOf(':') + 1);
}

/**
 * The token of a secret; null where there is none that counts now. All are compared, each in constant time.
 * @param now milliseconds since 1970
 */
export function tokenOf(secret: string, tokens: readonly Token[], now: number): Token | null {
  const digest = digestOfSecret(secret);
  let found: Token | null = null;
  for (const token of tokens) {
    if (timingSafeEqual(digest, token.digest)) found = token;
  }
  return found === null || (found.expires !== null && now >= found.expires) ? null : found;
}
