import { readSync } from 'node:fs';

/** Bytes read at once where all lines are wanted. */
const CHUNK = 1 << 20;
/** Where one is. */
const FIRST_CHUNK = 4096;
const LINE_FEED = 0x0a;

/** A line of a file, valid until the next one is asked for. */
export interface Line {
  /** Without its line feed. */
  readonly bytes: Buffer;
  /** Offset of its first byte in the file. */
  readonly offset: number;
}

/**
 * The whole lines of a file, in order; what follows the last line feed is left out.
 * @param most bytes of the longest line; a longer one ends the lines with `null`
 * @throws the system's error
 */
export function linesOf(descriptor: number, from: number, to: number, most: number): Generator<Line | null> {
  return lines(descriptor, from, to, most, CHUNK);
}

/** The first line that begins at an offset; null where it is too long, or none ends there. */
export function lineAt(descriptor: number, from: number, to: number, most: number): Line | null {
  for (const line of lines(descriptor, from, to, most, FIRST_CHUNK)) return line;
  return null;
}

/**
 * Where the last lines before an offset begin, the last one first.
 * @param before what follows the last line feed before it is left out
 * @param count how many are wanted at most
 * @throws the system's error
 */
export function lastLines(descriptor: number, before: number, count: number): readonly number[] {
  const buffer = Buffer.allocUnsafe(FIRST_CHUNK);
  const feeds: number[] = [];
  for (let end = before; end > 0 && feeds.length <= count;) {
    const start = Math.max(0, end - buffer.length);
    const read = readSync(descriptor, buffer, 0, end - start, start);
    for (let feed = read; feed > 0 && feeds.length <= count;) {
      feed = buffer.lastIndexOf(LINE_FEED, feed - 1);
      if (feed < 0) break;
      feeds.push(start + feed);
    }
    end = start;
  }
  // each line feed but the last begins a line; so does the file
  const starts = feeds.slice(1).map((feed) => feed + 1);
  return feeds.length > 0 && feeds.length <= count ? [...starts, 0] : starts;
}

function* lines(
  descriptor: number,
  from: number,
  to: number,
  most: number,
  chunk: number,
): Generator<Line | null> {
  let buffer = Buffer.allocUnsafe(Math.min(chunk, Math.max(1, to - from)));
  let filled = 0;
  let offset = from;
  for (let at = from; at < to;) {
    if (filled === buffer.length) {
      if (buffer.length > most) {
        yield null;
        return;
      }
      const larger = Buffer.allocUnsafe(buffer.length * 2);
      buffer.copy(larger);
      buffer = larger;
    }
    const count = readSync(descriptor, buffer, filled, Math.min(buffer.length - filled, to - at), at);
    if (count === 0) return;
    at += count;
    const end = filled + count;
    let start = 0;
    for (let feed = buffer.indexOf(LINE_FEED, filled); feed >= 0 && feed < end;) {
      yield { bytes: buffer.subarray(start, feed), offset };
      offset += feed + 1 - start;
      start = feed + 1;
      feed = buffer.indexOf(LINE_FEED, start);
    }
    buffer.copyWithin(0, start, end);
    filled = end - start;
  }
}
