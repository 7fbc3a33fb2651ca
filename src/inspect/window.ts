import type { Matcher } from '../kernel/matcher.ts';
import { LIMITS } from '../model/limits.ts';
import type { ContentInspector } from './contentInspector.ts';
import { captureMemory, type CaptureMemory } from './streamCapture.ts';

/** Room before the chunk for the bytes of a content that must stay at hand; a page more than ever needed. */
const KEEP = 4 * LIMITS.contextBytes;

/** Bytes of the matcher's memory that one window takes. */
const WINDOW_BYTES = KEEP + LIMITS.chunkBytes;

/**
 * Bytes the matcher's memory must have for the contents of entries and of containers down to
 * `depth`, which are open at once, and for the packed stream that all may lie in. What is never used
 * costs address space only.
 */
export function windowsBytes(depth: number): number {
  return (2 + depth) * WINDOW_BYTES;
}

/**
 * The part of the matcher's memory through which contents of one depth pass: chunks are read to
 * `start`, and what an open content still needs of the last chunk is moved to right before it.
 */
export class Window {
  readonly memory: Uint8Array;
  /** Where each chunk is read to. */
  readonly start: number;
  /** How many bytes a chunk may have. */
  readonly size = LIMITS.chunkBytes;
  #capture: CaptureMemory | null = null;

  /** @param depth 0 for entries, 1 for what containers hold, and so on */
  constructor(matcher: Matcher, depth = 0) {
    this.memory = matcher.memory;
    this.start = matcher.base + depth * WINDOW_BYTES + KEEP;
  }

  /** Where what readers will want of an open content is kept; trees never need it. */
  get capture(): CaptureMemory {
    return (this.#capture ??= captureMemory());
  }

  /** Makes room for the next chunk while a content is open. */
  carry(contents: ContentInspector): void {
    const from = contents.keepFrom;
    const to = this.start - (contents.end - from);
    this.memory.copyWithin(to, from, contents.end);
    contents.moved(from - to);
  }
}
