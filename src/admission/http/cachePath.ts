import { BASE32_ALPHABET } from '../../nix/base32.ts';

/** What the path of a request means to a binary cache. Names are as storage and catalog have them. */
export type CacheObject =
  | { readonly kind: 'info' }
  | { readonly kind: 'narinfo' | 'listing'; readonly name: string; readonly hashPart: string }
  | { readonly kind: 'nar' | 'object'; readonly name: string };

/** Bytes of a request's target that are looked at. */
const TARGET_MOST = 4096;

/** One part of a path, of characters that mean themselves there (RFC 3986, pchar). */
const PART = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]+$/;

/** What names of Nix hold and clients may write with a percent sign. Nothing else is taken in disguise. */
const ESCAPES: Readonly<Record<string, string>> = {
  '%21': '!',
  '%2B': '+',
  '%3A': ':',
  '%3D': '=',
  '%3F': '?',
};
const ESCAPE = /%(?:21|2B|3A|3D|3F)/gi;

const BY_HASH_PART = new RegExp(`^([${BASE32_ALPHABET}]{32})\\.(narinfo|ls)$`);
const OBJECTS = new Set(['log', 'debuginfo', 'realisations', 'build-trace-v2']);

/**
 * The path of a request's target, as it stands there but for its query; null where it can be read in more than one
 * way: with `.`, `..` or empty parts, with characters that must be escaped, or with escapes that need not be.
 */
export function plainPathOf(target: string): string | null {
  if (target.length > TARGET_MOST) return null;
  const path = target.split('?', 1)[0] ?? '';
  if (path === '/') return path;
  const [root, ...parts] = path.split('/');
  return root === '' && parts.every(isPlain) ? path : null;
}

/**
 * The target that somebody meant who has typed slashes too many, with its query; null where there are none, where it
 * is no plain path without them either, and for objects of a cache, which programs ask for.
 */
export function withoutMoreSlashes(target: string): string | null {
  const path = target.split('?', 1)[0] ?? '';
  const parts = path.split('/').filter((part) => part !== '');
  const meant = `/${parts.join('/')}`;
  const isOther = path.startsWith('/') && path !== meant;
  if (!isOther || plainPathOf(meant) === null || cacheObjectOf(meant) !== null) return null;
  const query = target.slice(path.length);
  return target.length <= TARGET_MOST && /^[!-~]*$/.test(query) ? meant + query : null;
}

function isPlain(part: string): boolean {
  return part !== '.' && part !== '..' && PART.test(part.replaceAll(ESCAPE, '_'));
}

/** @param path as {@link plainPathOf} gives it; null for what is no object of a binary cache */
export function cacheObjectOf(path: string): CacheObject | null {
  const name = path.slice(1);
  if (name === 'nix-cache-info') return { kind: 'info' };
  const [, hashPart, ending] = BY_HASH_PART.exec(name) ?? [];
  if (hashPart !== undefined) return { kind: ending === 'ls' ? 'listing' : 'narinfo', name, hashPart };
  const [folder = '', ...rest] = name.split('/');
  if (rest.length === 0) return null;
  if (folder === 'nar') return rest.length === 1 ? { kind: 'nar', name } : null;
  if (!OBJECTS.has(folder)) return null;
  return {
    kind: 'object',
    name: name.replaceAll(ESCAPE, (escape) => ESCAPES[escape.toUpperCase()] ?? escape),
  };
}
