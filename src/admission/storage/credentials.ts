import { readFileSync, statSync } from 'node:fs';
import { LIMITS } from '../../model/limits.ts';
import { saysMissing, storageFault } from './fault.ts';

interface Login {
  readonly login: string;
  readonly password: string;
}

/**
 * The Authorization header for a server: of the user and password in its URL, else of what a netrc file has for its
 * host; null for none.
 *
 * @param netrc a file that need not be there
 * @throws NarScanError STORAGE_FAILED where it is there and cannot be read
 */
export function credentialsOf(url: URL, netrc: string): string | null {
  const { username, password, hostname } = url;
  const found =
    username === '' && password === ''
      ? loginFor(hostname, textOf(netrc))
      : { login: decoded(username), password: decoded(password) };
  if (found === null) return null;
  return `Basic ${Buffer.from(`${found.login}:${found.password}`).toString('base64')}`;
}

/** What a netrc text says about a host: the first `machine` of its name, or a `default` before it. */
export function loginFor(host: string, netrc: string): Login | null {
  // a macro ends with an empty line
  const words = netrc
    .replaceAll(/^macdef [^]*?(?:\n\n|$(?![^]))/gm, '')
    .trim()
    .split(/\s+/);
  for (let at = 0; at < words.length;) {
    const isDefault = words[at] === 'default';
    const isMeant = isDefault || (words[at] === 'machine' && words[at + 1] === host);
    const fields = new Map<string, string>();
    for (at += isDefault ? 1 : 2; isField(words[at]); at += 2)
      fields.set(words[at] ?? '', words[at + 1] ?? '');
    if (isMeant) return { login: fields.get('login') ?? '', password: fields.get('password') ?? '' };
  }
  return null;
}

function isField(word: string | undefined): boolean {
  return word === 'login' || word === 'password' || word === 'account';
}

/** What is no percent-encoding stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > LIMITS.netrcBytes) throw new Error('it is too long');
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (saysMissing(error)) return '';
    throw storageFault(`'${file}' cannot be read`, error);
  }
}
