import { createHash } from 'node:crypto';
import { base32Decode, base32Encode } from './base32.ts';
import { parseStorePathName } from './storePath.ts';

/** Bytes of a store path's hash part. */
const HASH_PART_BYTES = 20;
/** Bytes of a hash by what Nix calls it. */
const HASH_BYTES: Readonly<Record<string, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
  blake3: 32,
};
const METHODS = { 'fixed:r:': 'nar', 'fixed:git:': 'git', 'fixed:': 'flat', 'text:': 'text' } as const;

/** What names a path that is named by its content. */
export interface ContentAddress {
  /** How it was hashed: its NAR, its one file, as git does, or as a text such as a derivation. */
  readonly method: (typeof METHODS)[keyof typeof METHODS];
  readonly algorithm: string;
  readonly hash: Uint8Array;
}

/**
 * The CA field of a narinfo: a method, a hash and its digest in base 32, as Nix writes it.
 * Null for anything else. (Nix: src/libstore/content-address.cc.)
 */
export function parseContentAddress(text: string): ContentAddress | null {
  for (const [prefix, method] of Object.entries(METHODS)) {
    if (!text.startsWith(prefix)) continue;
    const [algorithm = '', digest = '', ...more] = text.slice(prefix.length).split(':');
    if (more.length > 0 || digest.length > 128 || !Object.hasOwn(HASH_BYTES, algorithm)) return null;
    const hash = base32Decode(digest);
    return hash !== null && hash.length === HASH_BYTES[algorithm] ? { method, algorithm, hash } : null;
  }
  return null;
}

/**
 * What a content address is worth for a path: `proven`: name and content make exactly this path; `named`: the
 * path follows from the address, but whether the content has that hash is not known (one file's own
 * hash, and a NAR that holds its own path, are not to be had from a NarHash); `unknown`: a kind of
 * address that is not recomputed here; `wrong`: the path or the content is another.
 *
 * @param info the references are store paths
 */
export function judgeContentAddress(
  { method, algorithm, hash }: ContentAddress,
  info: { readonly storePath: string; readonly references: readonly string[]; readonly narHash: string },
): 'proven' | 'named' | 'unknown' | 'wrong' {
  if (method === 'git') return 'unknown';
  const slash = info.storePath.lastIndexOf('/');
  const storeDir = info.storePath.slice(0, slash);
  const name = parseStorePathName(info.storePath.slice(slash + 1))?.name;
  if (name === undefined) return 'wrong';
  const others = info.references.filter((reference) => reference !== info.storePath).toSorted();
  const self = others.length < info.references.length;
  const type = [method === 'text' ? 'text' : 'source', ...others, ...(self ? ['self'] : [])].join(':');
  const recursive = method === 'nar' && algorithm === 'sha256';
  if (method === 'text' ? self || algorithm !== 'sha256' : !recursive && info.references.length > 0)
    return 'wrong';
  const path =
    recursive || method === 'text'
      ? makeStorePath(type, algorithm, hash, storeDir, name)
      : makeStorePath('output:out', 'sha256', fixedDigest(method, algorithm, hash), storeDir, name);
  if (path !== info.storePath) return 'wrong';
  if (!recursive || self) return 'named';
  return info.narHash === `sha256:${base32Encode(hash)}` ? 'proven' : 'wrong';
}

/** What stands for the content in the path of anything but a NAR by SHA-256. (Nix: makeFixedOutputPath.) */
function fixedDigest(method: 'nar' | 'flat' | 'text', algorithm: string, hash: Uint8Array): Uint8Array {
  const prefix = method === 'nar' ? 'r:' : '';
  return sha256(`fixed:out:${prefix}${algorithm}:${hexadecimal(hash)}:`);
}

/** (Nix: src/libstore/store-dir-config.cc, makeStorePath.) */
function makeStorePath(
  type: string,
  algorithm: string,
  hash: Uint8Array,
  storeDir: string,
  name: string,
): string {
  const digest = sha256(`${type}:${algorithm}:${hexadecimal(hash)}:${storeDir}:${name}`);
  const folded = new Uint8Array(HASH_PART_BYTES);
  for (const [index, byte] of digest.entries()) {
    const at = index % HASH_PART_BYTES;
    folded[at] = (folded[at] ?? 0) ^ byte;
  }
  return `${storeDir}/${base32Encode(folded)}-${name}`;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function hexadecimal(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
