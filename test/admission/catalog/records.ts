import { createHash } from 'node:crypto';
import type { PublishedPath, ReceivedNar } from '../../../src/admission/contracts.ts';
import { narHashText } from '../../../src/nix/narHash.ts';

export const hashOf = (text: string): string => narHashText(createHash('sha256').update(text).digest());
const digits = (text: string): string => hashOf(text).slice('sha256:'.length);
export const hashPartNamed = (name: string): string => digits(`path ${name}`).slice(0, 32);

export const storePathNamed = (name: string): string => `/nix/store/${hashPartNamed(name)}-${name}`;

/** A NAR whose content goes by `content`, as it is packed goes by `packed`. */
export function receivedNar(content: string, at = 1, packed = content): ReceivedNar {
  return {
    name: `nar/${digits(packed)}.nar.xz`,
    fileHash: hashOf(packed),
    fileSize: 100,
    narHash: hashOf(`nar ${content}`),
    narSize: 1000,
    compression: 'xz',
    file: `/state/received/${digits(packed)}`,
    by: 'builder',
    at,
  };
}

export function publishedPath(
  name: string,
  made: {
    readonly content?: string;
    readonly packed?: string;
    readonly at?: number;
    readonly narInfo?: string;
    readonly verdict?: PublishedPath['verdict'];
    readonly isUninspected?: boolean;
  } = {},
): PublishedPath {
  const { content = name, at = 1, narInfo = `StorePath: ${name}` } = made;
  const { verdict = 'clean', isUninspected = false } = made;
  const nar = receivedNar(content, at, made.packed);
  return {
    hashPart: hashPartNamed(name),
    storePath: storePathNamed(name),
    narInfo,
    narName: nar.name,
    narHash: nar.narHash,
    narSize: nar.narSize,
    fileHash: nar.fileHash,
    fileSize: nar.fileSize,
    verdict,
    isUninspected,
    rules: 'rules',
    by: nar.by,
    at,
  };
}
