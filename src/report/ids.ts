import { bytesOfByteString, byteStringOfText } from '../model/bytes.ts';
import type { Finding, Gap } from '../model/facts.ts';

/** BLAKE3 of bytes, as lower-case hexadecimal text. */
export type Digest = (bytes: Buffer) => string;

/** Hexadecimal digits of an id. */
const ID_DIGITS = 16;

/** Loads BLAKE3. It is native code, so only reports that show ids load it. */
export async function loadDigest(): Promise<Digest> {
  const { blake3UrlSafeBase64 } = (await import('@napi-rs/blake-hash')).default;
  // as text: the memory of a native buffer is not free again before the event loop goes round
  return (bytes) => Buffer.from(blake3UrlSafeBase64(bytes), 'base64url').toString('hex');
}

/**
 * The id of a finding: the same leak has it in a tree, in its NAR and in every later build whose
 * bytes are the same there. Nothing of the target's own place or of counts goes in.
 */
export function findingId(finding: Finding, digest: Digest): string {
  const { rule, carrier, encoding, home, alias, location } = finding;
  const { entry, container, offset, field } = location;
  return id(
    ['finding', rule, carrier, encoding, home, alias, entry, container, offset, field ?? null],
    digest,
  );
}

/** The id of a gap, with the same promise. */
export function gapId(gap: Gap, digest: Digest): string {
  const { entry, container, offset, section, field } = gap.location;
  return id(['gap', gap.reason, entry, container, offset, section ?? null, field ?? null], digest);
}

/** JSON tells apart every list of parts, and byte strings are written as the characters they are. */
function id(parts: readonly unknown[], digest: Digest): string {
  return digest(bytesOfByteString(byteStringOfText(JSON.stringify(parts)))).slice(0, ID_DIGITS);
}
