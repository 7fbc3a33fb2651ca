import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { LIMITS } from '../../model/limits.ts';
import { printableText } from '../../report/printable.ts';

/** Below the URL of a cache. */
const PATH = '/api/v1/homes';
const SCHEMA = 'nar-scan/registered-homes-v1';
/** What a server that is none of ours answers to a path that it does not know. */
const NO_SUCH_PATH = [404, 405, 410, 501];

/** What homes are told to, and how. */
export interface HomeRegistration {
  /** `http` or `https`; settings of Nix in its query do not matter. */
  readonly cache: URL;
  /** The header `Authorization`; null for none. */
  readonly authorization: string | null;
  /** Certificates that are trusted in the place of those that Node brings, in PEM. */
  readonly certificates: string | null;
  readonly homes: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Tells a cache whose server is nar-scan's which homes to search for in what comes from here. Homes are sent to a server
 * only that has said before that it is one, and no redirection is followed.
 *
 * @returns null; or why the server does not know them, where it is one and should
 * @throws what the signal was aborted with
 */
export async function registerHomes(
  registration: HomeRegistration,
  signal: AbortSignal,
): Promise<string | null> {
  const { homes } = registration;
  try {
    const known = await ask(registration, 'GET', null, signal);
    const before = known.status === 200 ? homesIn(known.text) : null;
    if (before === null) return isSilent(known) ? null : reasonOf(known);
    if (homes.every((home) => before.includes(home))) return null;
    const answer = await ask(registration, 'POST', JSON.stringify({ homes }), signal);
    return answer.status === 200 ? null : reasonOf(answer);
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = error as NodeJS.ErrnoException;
    return printableText(code ?? message);
  }
}

/** What says that the server is another's: then there is nobody to tell. */
function isSilent({ status }: Answer): boolean {
  return status < 400 || NO_SUCH_PATH.includes(status);
}

function reasonOf({ status, text }: Answer): string {
  const [line = ''] = text.split('\n', 1);
  return printableText(`HTTP ${status} ${line}`.trim());
}

/** The homes that the server knows; null for an answer that is none of nar-scan's. */
function homesIn(text: string): readonly unknown[] | null {
  try {
    const { schema, homes } = JSON.parse(text) as { readonly schema?: unknown; readonly homes?: unknown };
    return schema === SCHEMA && Array.isArray(homes) ? homes : null;
  } catch {
    return null;
  }
}

function ask(
  { cache, authorization, certificates }: HomeRegistration,
  method: 'GET' | 'POST',
  body: string | null,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(cache.origin);
  // by itself: a path that begins with two slashes would be read as another host
  url.pathname = `${cache.pathname.replace(/\/+$/, '')}${PATH}`;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.registrationMilliseconds)]);
  const options: RequestOptions & { ca?: string } = {
    method,
    signal: patience,
    headers: {
      ...(authorization !== null && { authorization }),
      ...(body !== null && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    },
    ...(certificates !== null && { ca: certificates }),
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = send(url, options, (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}

/** What is longer than any answer of ours is cut off. */
async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
    if (size > LIMITS.registrationBytes) break;
  }
  return Buffer.concat(pieces).toString();
}
