import type { RangeReader } from '../../formats/ranges.ts';

/**
 * Keeps the bytes of one stream, so that they can be read out of order afterwards. Where room is
 * short the rest is not kept, and `complete` says so.
 */
export interface Spool {
  /** Whether all that was added is kept. */
  readonly complete: boolean;
  /** Adds the stream's next bytes; those before the first added ones were never wanted. */
  add(bytes: Uint8Array): void;
  /** The content of `size` bytes whose bytes from `from` on were added. */
  reader(from: number, size: number): RangeReader;
  /** Lets everything go. */
  close(): void;
}

/** Makes spools, all of which share one allowance. */
export interface Spools {
  open(): Spool;
}
