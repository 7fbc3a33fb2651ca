import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NarInfo } from '../../nix/narinfo.ts';
import {
  fingerprint,
  type PublicKey,
  type SecretKey,
  signerOf,
  signText,
  verifyText,
} from '../../nix/signature.ts';

/** What signatures say of a path. */
export interface Vouched {
  /** All of them. */
  readonly signatures: readonly string[];
  /** Those by keys that are trusted. */
  readonly trusted: readonly string[];
}

/**
 * Checks the signatures of a path: all of a form that every client reads, and those that name a trusted key by that key.
 * The others are nobody's word here, but may be somebody's elsewhere.
 *
 * @param of what they must be over
 * @throws NarScanError NARINFO_WRONG
 */
export function checkSignatures(
  signatures: readonly string[],
  of: Pick<NarInfo, 'storePath' | 'narHash' | 'narSize' | 'references'>,
  keys: readonly PublicKey[],
): Vouched {
  if (signatures.length > LIMITS.narInfoSignatures)
    throw new NarScanError('NARINFO_WRONG', `there are more than ${LIMITS.narInfoSignatures} signatures`);
  const text = fingerprint(of);
  const distinct = [...new Set(signatures)];
  const trusted = distinct.filter((signature) => {
    const signer = signerOf(signature);
    if (signer === null) throw new NarScanError('NARINFO_WRONG', 'a signature is no name, colon and base 64');
    const named = keys.filter(({ name }) => name === signer);
    if (named.length === 0) return false;
    if (named.some((key) => verifyText(key, text, signature))) return true;
    throw new NarScanError(
      'NARINFO_WRONG',
      `the signature by '${signer}' is not of this path, NarHash and references`,
    );
  });
  return { signatures: distinct, trusted };
}

/**
 * Adds the server's signature, which in Nix says that this is the output of that path: only where somebody who may say
 * so has said it.
 */
export function signed(
  info: NarInfo,
  { signing, isVouched }: { readonly signing: SecretKey | null; readonly isVouched: boolean },
): NarInfo {
  if (signing === null || !isVouched) return info;
  const signature = signText(signing, fingerprint(info));
  return { ...info, signatures: [...new Set([...info.signatures, signature])].toSorted() };
}
