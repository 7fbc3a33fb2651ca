import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether the browser says that a request comes from a page of this server. One that says neither, as a program does,
 * is let through: its form needs a token all the same.
 *
 * @param publicUrl where people reach the server; null: where the request says that it went
 */
export function isFromHere(headers: IncomingHttpHeaders, publicUrl: string | null): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const { origin, host } = headers;
  if (origin === undefined) return true;
  const parsed = URL.parse(origin);
  if (parsed === null) return false;
  // a proxy in front may speak HTTPS, and may not
  if (parsed.host === host) return true;
  return publicUrl !== null && parsed.origin === URL.parse(publicUrl)?.origin;
}
