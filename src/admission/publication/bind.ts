import { type ErrorCode, NarScanError } from '../../model/errors.ts';
import { judgeContentAddress, parseContentAddress } from '../../nix/contentAddress.ts';
import type { NarInfo } from '../../nix/narinfo.ts';
import type { PublicKey } from '../../nix/signature.ts';
import { hashPartOf } from '../../nix/storePath.ts';
import type { ReceivedNar } from '../contracts.ts';
import { isNarName } from '../narName.ts';
import { checkSignatures } from './vouching.ts';

/** A NAR as this server has found it to be. */
export type FoundNar = Pick<
  ReceivedNar,
  'name' | 'fileHash' | 'fileSize' | 'narHash' | 'narSize' | 'compression'
>;

/** A narinfo of which everything is so. */
export interface Bound {
  /** As it is to be served. */
  readonly info: NarInfo;
  /** The path is named by this content, or somebody who is trusted has signed that it is the output of it. */
  readonly isVouched: boolean;
}

/**
 * The name of the NAR that a narinfo speaks of. Clients follow any URL, so it must be the plain name of one that lies
 * here: nothing absolute, no way up, no escapes, no query.
 *
 * @throws NarScanError NARINFO_WRONG
 */
export function narNameOf({ url }: Pick<NarInfo, 'url'>): string {
  return isNarName(url) ? url : wrong(`URL is '${shortened(url)}', not nar/ and the name of a NAR`);
}

/**
 * Binds a narinfo to a NAR: everything that it says must be so, and what it leaves out is filled in.
 *
 * @param hashPart in the name of the request
 * @param published store paths that are published
 * @throws NarScanError NARINFO_WRONG, NARINFO_UNBOUND
 */
export function bind(
  info: NarInfo,
  nar: FoundNar,
  hashPart: string,
  published: ReadonlySet<string>,
  trusted: readonly PublicKey[],
): Bound {
  const { storePath, references, signatures, ca } = info;
  bindPath(info, hashPart);
  if (info.url !== nar.name) wrong(`URL is not ${nar.name}`);
  same('NarHash', info.narHash, nar.narHash);
  same('NarSize', info.narSize, nar.narSize);
  same('FileHash', info.fileHash ?? nar.fileHash, nar.fileHash);
  same('FileSize', info.fileSize ?? nar.fileSize, nar.fileSize);
  same('Compression', info.compression, nar.compression);
  const missing = references.find((reference) => reference !== storePath && !published.has(reference));
  if (missing !== undefined) refuse('NARINFO_UNBOUND', `it refers to ${missing}, which is not here`);
  const vouched = checkSignatures(signatures, info, trusted);
  const isNamedByContent = ca !== null && worth(ca, info) === 'proven';
  return {
    info: { ...info, fileHash: nar.fileHash, fileSize: nar.fileSize, signatures: vouched.signatures },
    isVouched: isNamedByContent || vouched.trusted.length > 0,
  };
}

/** A narinfo lies where its store path's hash part says. @throws NarScanError NARINFO_WRONG */
export function bindPath({ storePath }: Pick<NarInfo, 'storePath'>, hashPart: string): void {
  if (hashPartOf(storePath) !== hashPart) wrong(`StorePath is ${storePath}, sent as ${hashPart}.narinfo`);
}

function worth(ca: string, info: NarInfo): ReturnType<typeof judgeContentAddress> {
  const address = parseContentAddress(ca) ?? wrong(`CA is '${shortened(ca)}', no content address`);
  const found = judgeContentAddress(address, info);
  if (found === 'wrong') wrong(`CA is '${shortened(ca)}', and the path or the content is another`);
  return found;
}

function same(field: string, said: string | number, found: string | number): void {
  if (said !== found) wrong(`${field} is ${said}, and the NAR that was sent has ${found}`);
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

function wrong(message: string): never {
  return refuse('NARINFO_WRONG', message);
}

function refuse(code: ErrorCode, message: string): never {
  throw new NarScanError(code, `the narinfo: ${message}`);
}
