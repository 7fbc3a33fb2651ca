import {
  EMBEDDED_HEADER_BYTES,
  EMBEDDED_MAGICS,
  sniffEmbedded,
  zipEndBytes,
  type EmbeddedKind,
} from '../../formats/embedded.ts';
import type { RangeReader } from '../../formats/ranges.ts';
import { readAt } from './bytes.ts';

/** Bytes that are searched at once. */
const PIECE_BYTES = 256 * 1024;
const ARCHIVE_END = Buffer.from('PK\x05\x06', 'latin1');

/** A stream that begins at an offset of a content, or the end of a zip archive there. */
type Found =
  | { readonly what: 'stream'; readonly kind: EmbeddedKind; readonly offset: number }
  | { readonly what: 'end'; readonly offset: number };

/**
 * The streams that begin in [from, to) and the zip archives that end there, in order: what the
 * kernel met too much of to note all of it. Slower than the kernel.
 *
 * @throws NarScanError CONTAINER_UNREADABLE
 */
export function* searchAgain(
  reader: RangeReader,
  from: number,
  to: number,
): Generator<Found, void, undefined> {
  for (let at = from; at < to; at += PIECE_BYTES) {
    const next = Math.min(PIECE_BYTES, to - at);
    // what is found is opened before the next one is asked for: others read meanwhile
    const bytes = Buffer.from(readAt(reader, at, Math.min(next + EMBEDDED_HEADER_BYTES, reader.size - at)));
    const found: Found[] = [];
    for (const { bytes: magic, before } of EMBEDDED_MAGICS) {
      for (const place of placesOf(bytes, magic)) {
        const start = place - before;
        if (start < 0 || start >= next) continue;
        const kind = sniffEmbedded(bytes, start, bytes.length - start);
        if (kind !== null) found.push({ what: 'stream', kind, offset: at + start });
      }
    }
    for (const start of placesOf(bytes, ARCHIVE_END)) {
      if (start >= next) continue;
      const length = zipEndBytes(bytes, start, bytes.length - start, at + start);
      if (length > 0) found.push({ what: 'end', offset: at + start + length });
    }
    yield* found.sort((a, b) => a.offset - b.offset);
  }
}

function* placesOf(bytes: Buffer, magic: Uint8Array): Generator<number, void, undefined> {
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) yield at;
}
