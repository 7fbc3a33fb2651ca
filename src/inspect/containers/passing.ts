import type { ByteStream } from '../../formats/container.ts';
import type { RangeReader } from '../../formats/ranges.ts';
import { MemoryRange, type ContentInspector } from '../contentInspector.ts';
import type { Window } from '../window.ts';
import type { Feed } from './feed.ts';
import { KeptBytes } from './keptBytes.ts';
import type { Spools } from './spool.ts';

/** Bytes of a content by which its kind is told. */
export const HEAD_BYTES = 64 * 1024;

/**
 * A content longer than its window, as it passes: every chunk is searched, kept where it will be
 * wanted again, and given on to whoever reads the content as a container meanwhile.
 */
export class Passing {
  readonly head: Buffer;
  readonly #window: Window;
  readonly #inspector: ContentInspector;
  readonly #feed: Feed;
  readonly #kept: KeptBytes;
  /** Bytes that have passed. */
  size: number;
  /** Bytes of the present chunk; 0 once all has passed. */
  #count: number;
  #given = false;

  /** The first `count` bytes of the content lie in the window, which they fill. */
  constructor(
    window: Window,
    inspector: ContentInspector,
    feed: Feed,
    spools: Spools,
    options: { readonly count: number; readonly head: Buffer; readonly keepAll: boolean },
  ) {
    this.#window = window;
    this.#inspector = inspector;
    this.#feed = feed;
    this.head = options.head;
    this.#kept = new KeptBytes(spools, inspector, options.keepAll);
    this.#count = options.count;
    this.size = options.count;
    inspector.begin(window.start);
    this.#look();
  }

  /** The chunks; stopping early is no end, see {@link drain}. */
  stream(): ByteStream {
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      const chunk = await this.#next();
      return chunk === null ? { done: true, value: undefined } : { done: false, value: chunk };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  /** What the content is ended at `offset`, not long ago: whatever follows may be something else. */
  keepBehind(offset: number): void {
    const { memory, start } = this.#window;
    this.#kept.behind(offset, memory, start + this.#count);
  }

  /** Offset from which on everything was kept; where nothing was, that is the size. */
  get keptFrom(): number {
    return Math.min(this.#kept.from, this.size);
  }

  /** Lets all that is left pass. */
  async drain(): Promise<void> {
    while ((await this.#next()) !== null);
  }

  /** Whether what may have to be read again could be kept. */
  get complete(): boolean {
    return this.#kept.complete;
  }

  /** What was kept of the content, once all has passed. */
  reader(): RangeReader {
    const { head, size } = this;
    const start = new MemoryRange(head, 0, head.length);
    const rest = this.#kept.reader(size);
    return {
      size,
      read: (offset, length) =>
        offset + length <= head.length ? start.read(offset, length) : rest.read(offset, length),
    };
  }

  close(): void {
    this.#kept.close();
  }

  async #next(): Promise<Uint8Array | null> {
    const { memory, start, size } = this.#window;
    if (this.#given) {
      if (this.#count === 0) return null;
      this.#window.carry(this.#inspector);
      this.#count = await this.#feed.take(memory, start, size);
      this.size += this.#count;
      if (this.#count === 0) {
        this.#inspector.extend(start, true);
        this.#kept.take(memory, start, start);
        return null;
      }
      this.#look();
    }
    this.#given = true;
    return memory.subarray(start, start + this.#count);
  }

  /** Searches the chunk in the window, and keeps it if need be. */
  #look(): void {
    const { start } = this.#window;
    const end = start + this.#count;
    this.#inspector.extend(end, false);
    this.#kept.take(this.#window.memory, start, end);
  }
}
