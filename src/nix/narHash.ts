import { base32Decode, base32Encode } from './base32.ts';

const DIGEST_BYTES = 32;
const PREFIX = 'sha256:';

/** A NarHash as Nix prints it, `sha256:<base 32>`. @param digest 32 bytes */
export function narHashText(digest: Uint8Array): string {
  return PREFIX + base32Encode(digest);
}

/**
 * A SHA-256 in any of the forms in which Nix writes one (`sha256:` with base 16, base 32 or base 64, or
 * `sha256-` with base 64), as {@link narHashText} has it; null for anything else. (Nix: src/libutil/hash.cc.)
 */
export function parseNarHash(text: string): string | null {
  if (!/^sha256[:-][0-9A-Za-z+/=]{1,64}$/.test(text)) return null;
  const bytes = digestOf(text.slice(PREFIX.length), text.charAt(PREFIX.length - 1) === '-');
  return bytes?.length === DIGEST_BYTES ? narHashText(bytes) : null;
}

/** What content is called whose store path nobody has told: as a binary cache names a NAR that is not packed. */
export function contentName(narHash: string): string {
  return `nar/${narHash.slice(PREFIX.length)}.nar`;
}

/** The NarHash of content that is called so; null for any other text. */
export function parseContentName(text: string): string | null {
  const digits = /^nar\/([0-9a-z]{52})\.nar$/.exec(text)?.[1];
  return digits === undefined ? null : parseNarHash(PREFIX + digits);
}

function digestOf(text: string, onlyBase64: boolean): Uint8Array | null {
  if (!onlyBase64 && /^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (!onlyBase64 && text.length === 52) return base32Decode(text);
  const bytes = Buffer.from(text, 'base64');
  // what is no base 64 is left out when it is read
  return bytes.toString('base64') === text ? bytes : null;
}
