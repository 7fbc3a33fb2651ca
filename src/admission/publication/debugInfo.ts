import { isNarName } from '../narName.ts';
import { jsonObject } from './json.ts';

/** Where a file with debug information is, by the id of the build that it is of. */
export interface DebugInfo {
  /** `nar/…` */
  readonly narName: string;
  /** Path in the NAR. */
  readonly member: string;
}

const UP = '../';
const MEMBER_MOST = 4096;

/** As Nix sends it, to `debuginfo/<build id>`; null for anything else. (Nix: src/libstore/binary-cache-store.cc.) */
export function parseDebugInfo(bytes: Uint8Array): DebugInfo | null {
  const { archive, member } = jsonObject(bytes) ?? {};
  if (typeof archive !== 'string' || typeof member !== 'string') return null;
  const narName = archive.slice(UP.length);
  if (!archive.startsWith(UP) || !isNarName(narName)) return null;
  return member.length <= MEMBER_MOST && member.split('/').every(isName) ? { narName, member } : null;
}

/** As it is served: nothing else is in it. */
export function debugInfoText({ narName, member }: DebugInfo): string {
  return JSON.stringify({ archive: UP + narName, member });
}

function isName(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && !part.includes('\0');
}
