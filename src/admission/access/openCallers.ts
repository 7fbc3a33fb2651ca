import { BlockList, isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';
import { NarScanError } from '../../model/errors.ts';
import type { AccessRequest, Callers, Passage } from '../callers.ts';
import type { Catalog } from '../catalog.ts';
import { ANONYMOUS, type Scope, SCOPES } from '../contracts.ts';
import { refused } from './refused.ts';

/** Everything but what vouches for builds. */
const EVERYTHING: ReadonlySet<Scope> = new Set(SCOPES.filter((scope) => scope !== 'sign'));

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether a host, as a name or an address, can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const family = isIP(name);
  return family !== 0 && LOOPBACK.check(name, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Lets everybody on this machine do everything (`--no-auth`). A server that others reach must not be run so; what gives
 * away that others do, a proxy in front of it or a page in somebody's browser that talks to it, is refused.
 */
export class OpenCallers implements Callers {
  readonly #catalog: Pick<Catalog, 'homes'>;

  constructor(catalog: Pick<Catalog, 'homes'>) {
    this.#catalog = catalog;
  }

  async pass({ headers, address }: AccessRequest, scope: Scope): Promise<Passage> {
    const stranger = strangerIn(headers, address);
    if (stranger !== null) {
      return refused(
        new NarScanError('ACCESS_OPEN', `a server without tokens answers no request ${stranger}`),
        null,
      );
    }
    if (!EVERYTHING.has(scope)) {
      return refused(new NarScanError('ACCESS_SCOPE', `without tokens nobody has the scope ${scope}`), null);
    }
    const homes = await this.#catalog.homes(ANONYMOUS);
    return { caller: { name: ANONYMOUS, scopes: EVERYTHING, homes }, refusal: null };
  }
}

/** What shows that a request is not of this machine, as the end of a sentence; null for nothing. */
function strangerIn(headers: IncomingHttpHeaders, address: string): string | null {
  if (address !== '' && !isLoopback(address)) return 'of another machine';
  const hop = Object.keys(headers).find((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
  if (hop !== undefined) return `that came through a proxy (${hop})`;
  const { host = '', origin } = headers;
  // a name of somebody else's that leads here is how a web page reaches what listens on this machine only
  const isNamedSo = host === '' || address === '' || isLoopback(hostOf(`http://${host}`));
  if (!isNamedSo) return 'to a host of another name';
  return origin === undefined || origin === `http://${host}` ? null : 'of a page of another origin';
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
