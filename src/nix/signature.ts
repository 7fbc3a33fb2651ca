import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { NarScanError } from '../model/errors.ts';
import type { NarInfo } from './narinfo.ts';

const SEED_BYTES = 32;
const PUBLIC_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Longest text of a key or a signature: a name and 64 bytes in base 64. */
const TEXT_MOST = 512;
/** As a narinfo may have it: visible characters without the colon. */
const NAME = /^[!-9;-~]+$/;

/** A key that signatures are checked with. */
export interface PublicKey {
  readonly name: string;
  readonly key: KeyObject;
}

/** A key that signs. It is never printed: {@link secretKeyText} is for the file it is kept in. */
export interface SecretKey extends PublicKey {
  /** Its public half, as people pass it on: `name:base64`. */
  readonly publicText: string;
  /** Of `key` the public half. */
  readonly publicKey: PublicKey;
}

/**
 * A public key as `nix-store --generate-binary-cache-key` writes it: a name, a colon, 32 bytes of Ed25519 in
 * base 64. (Nix: src/libutil/signature/local-keys.cc.)
 * @throws NarScanError KEY_INVALID
 */
export function parsePublicKey(text: string): PublicKey {
  const { name, bytes } = named(text) ?? invalid('public');
  if (bytes.length !== PUBLIC_BYTES) invalid('public');
  const key = createPublicKey({ key: { ...OKP, x: bytes.toString('base64url') }, format: 'jwk' });
  return { name, key };
}

/**
 * A secret key as `nix-store --generate-binary-cache-key` writes it: a name, a colon, and in base 64 the 32 bytes
 * of the seed and the 32 of the public key (libsodium's form). Halves that do not belong together are refused.
 * @throws NarScanError KEY_INVALID; nothing of the key is in the message
 */
export function parseSecretKey(text: string): SecretKey {
  const { name, bytes } = named(text) ?? invalid('secret');
  if (bytes.length !== SEED_BYTES + PUBLIC_BYTES) invalid('secret');
  const d = bytes.toString('base64url', 0, SEED_BYTES);
  const x = bytes.toString('base64url', SEED_BYTES);
  const key = createPrivateKey({ key: { ...OKP, d, x }, format: 'jwk' });
  const secret = secretKey(name, key);
  if (publicBytes(secret.publicKey.key) !== x) invalid('secret');
  return secret;
}

/** A new key. @param name visible ASCII without a colon */
export function generateSecretKey(name: string): SecretKey {
  return secretKey(name, generateKeyPairSync('ed25519').privateKey);
}

/** What {@link parseSecretKey} reads. For a file that only its owner reads. */
export function secretKeyText({ name, key }: SecretKey): string {
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const bytes = Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]);
  return `${name}:${bytes.toString('base64')}`;
}

/** Whether two keys are one, whatever they are called. */
export function sameKey(one: PublicKey, other: PublicKey): boolean {
  return publicBytes(one.key) === publicBytes(other.key);
}

/** A signature of text as a narinfo has it: `name:base64`. */
export function signText({ name, key }: SecretKey, text: string): string {
  return `${name}:${sign(null, Buffer.from(text), key).toString('base64')}`;
}

/** The name of the key that a signature is said to be by; null for what is none. */
export function signerOf(signature: string): string | null {
  return named(signature)?.name ?? null;
}

/** Whether a signature is this key's, of this text. */
export function verifyText({ name, key }: PublicKey, text: string, signature: string): boolean {
  const parts = named(signature);
  if (parts?.name !== name || parts.bytes.length !== SIGNATURE_BYTES) return false;
  return verify(null, Buffer.from(text), key, parts.bytes);
}

/**
 * What a signature of a store path is over: path, NarHash, NarSize and references, sorted.
 * (Nix: src/libstore/path-info.cc.)
 */
export function fingerprint(info: Pick<NarInfo, 'storePath' | 'narHash' | 'narSize' | 'references'>): string {
  const { storePath, narHash, narSize, references } = info;
  return `1;${storePath};${narHash};${narSize};${references.toSorted().join(',')}`;
}

const OKP = { kty: 'OKP', crv: 'Ed25519' };

function secretKey(name: string, key: KeyObject): SecretKey {
  const publicKey = { name, key: createPublicKey(key) };
  const bytes = Buffer.from(publicBytes(publicKey.key), 'base64url');
  return { name, key, publicKey, publicText: `${name}:${bytes.toString('base64')}` };
}

/** In base64url. */
function publicBytes(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x ?? '';
}

function named(text: string): { readonly name: string; readonly bytes: Buffer } | null {
  if (text.length > TEXT_MOST) return null;
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(colon, 0));
  const bytes = Buffer.from(text.slice(colon + 1), 'base64');
  // what is no base 64 is left out when it is read
  return NAME.test(name) && bytes.toString('base64') === text.slice(colon + 1) ? { name, bytes } : null;
}

function invalid(kind: 'public' | 'secret'): never {
  throw new NarScanError(
    'KEY_INVALID',
    `the ${kind} key is no name, colon and ${kind} key of Ed25519 in base 64`,
  );
}
