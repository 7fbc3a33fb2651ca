import type { CentralEntry } from './central.ts';
import { DESCRIPTOR_SIGNATURE, FLAG, readWide, WIDE } from './headers.ts';
import type { LocalHeader } from './headers.ts';
import type { Window } from './window.ts';

/** With a signature and 64-bit sizes. */
const DESCRIPTOR_BYTES = 24;

/** Flags that change what a reader makes of the member. */
const MEANINGFUL_FLAGS = FLAG.encrypted | FLAG.strong | FLAG.maskedHeader;

/**
 * What the two headers of a member say differently, so that two readers may see different content;
 * null where they agree. With a data descriptor the local header may leave CRC and sizes to it.
 */
export function disagreement(local: LocalHeader, central: CentralEntry): string | null {
  const words: string[] = [];
  if (local.name !== central.name) words.push('name');
  if (local.method !== central.method) words.push('method');
  if (((local.flags ^ central.flags) & MEANINGFUL_FLAGS) !== 0) words.push('flags');
  const later = (local.flags & FLAG.descriptor) !== 0;
  const differs = (here: number, there: number): boolean =>
    here !== there && !(later && (here === 0 || here === WIDE));
  if (differs(local.crc, central.crc)) words.push('CRC-32');
  if (differs(local.packed, central.packed)) words.push('packed size');
  if (differs(local.size, central.size)) words.push('size');
  return words.length === 0 ? null : words.join(', ');
}

/**
 * The end of the data descriptor at `at` (APPNOTE 4.3.9): with or without its signature, with sizes
 * of 32 or 64 bits; the longest that says what the central directory says.
 *
 * @param limit where it ends at the latest
 * @returns null where none says that
 */
export function descriptorEnd(
  window: Window,
  at: number,
  limit: number,
  { crc, packed, size }: CentralEntry,
): number | null {
  const bytes = window.at(at, Math.max(0, Math.min(DESCRIPTOR_BYTES, limit - at)));
  if (bytes === null) return null;
  const signed = bytes.length >= 4 && bytes.readUInt32LE(0) === DESCRIPTOR_SIGNATURE;
  for (const skip of signed ? [4, 0] : [0]) {
    if (bytes.length < skip + 12 || bytes.readUInt32LE(skip) !== crc) continue;
    if (
      bytes.length >= skip + 20 &&
      readWide(bytes, skip + 4) === packed &&
      readWide(bytes, skip + 12) === size
    ) {
      return at + skip + 20;
    }
    if (
      bytes.readUInt32LE(skip + 4) === packed % 2 ** 32 &&
      bytes.readUInt32LE(skip + 8) === size % 2 ** 32
    ) {
      return at + skip + 12;
    }
  }
  return null;
}
