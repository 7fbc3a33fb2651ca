/** What may stand before the host: who asks, and a password. */
const USER = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*@)/i;

/** The URL of a store as others may read it. */
export interface StoreUrl {
  readonly url: string;
  /** Without user, password and settings. */
  readonly shown: string;
  /** Takes user, password and settings of this URL out of a text. */
  readonly redact: (text: string) => string;
}

export function storeUrl(url: string): StoreUrl {
  const [place = ''] = url.split('?', 1);
  const secrets = [url.slice(place.length), USER.exec(place)?.[1] ?? ''].filter((part) => part !== '');
  const redact = (text: string): string =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, ''), text);
  return { url, shown: redact(url), redact };
}
