import type { Codec } from '../formats/compression/codec.ts';
import { ZstdStray } from '../formats/compression/zstdStray.ts';
import type { Range } from '../formats/ranges.ts';
import type { ContentInspector } from '../inspect/contentInspector.ts';
import type { Window } from '../inspect/window.ts';
import type { Finding } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { FactRoom, FactSink } from './factSink.ts';
import type { StreamOutput } from './narStream.ts';

/**
 * Searches a packed stream as it passes, as it lies there: what its format has room for beside what it unpacks to (the
 * name of a file in gzip, skippable frames of zstd and lz4, metadata of brotli) goes along with it wherever it is sent.
 * Of zstd that alone is searched, since nothing decodes faster; of others everything is.
 */
export class PackedSearch {
  readonly #window: Window;
  readonly #contents: ContentInspector;
  readonly #stray: ZstdStray | null;
  readonly #sink: FactSink;
  /** Bytes that have passed. */
  #passed = 0;
  /** Where the content that is open has got to; null: none is. */
  #end: number | null = null;

  /** @param room for the facts, where it is shared */
  constructor(
    codec: Codec,
    { window, contents }: PackedLane,
    room: FactRoom = new FactRoom(LIMITS.factsPerOutput),
  ) {
    this.#window = window;
    this.#contents = contents;
    this.#stray = codec === 'zstd' ? new ZstdStray() : null;
    this.#sink = new FactSink(room);
  }

  /** The next piece of the stream, no longer than a window. */
  add(piece: Uint8Array): void {
    const ranges: readonly Range[] = this.#stray?.ranges(piece) ?? [{ offset: 0, length: piece.length }];
    for (const { offset, length } of ranges) {
      this.#search(piece.subarray(offset, offset + length), this.#passed + offset);
    }
    this.#passed += piece.length;
  }

  /**
   * The stream has ended. What was found is said of the first of its outputs, as of itself. Of bytes that may be packed
   * content those homes are that are known and that none of the outputs holds anyway: where a path begins cannot be told
   * of them, since what stood before it may be written as a reference to earlier bytes, so that `/nix/store/…` looks
   * like `/store/…`.
   */
  end(outputs: readonly StreamOutput[]): void {
    this.#close();
    const [output] = outputs;
    if (output === undefined) return;
    const held = new Set(outputs.flatMap(({ facts }) => facts.findings.map(({ home }) => home)));
    const { findings, gaps } = this.#sink.sorted();
    const isTold = ({ rule, home }: Finding): boolean =>
      this.#stray !== null || (rule === 'known-home' && !held.has(home));
    output.facts.findings.unshift(...findings.filter(isTold));
    output.facts.gaps.unshift(...gaps);
  }

  #search(bytes: Uint8Array, offset: number): void {
    const { memory, start } = this.#window;
    if (this.#end !== offset) {
      this.#close();
      this.#contents.begin(start, offset);
    }
    memory.set(bytes, start);
    this.#contents.extend(start + bytes.length, false);
    this.#window.carry(this.#contents);
    this.#end = offset + bytes.length;
  }

  #close(): void {
    if (this.#end === null) return;
    this.#end = null;
    this.#contents.extend(this.#contents.end, true);
    this.#sink.content('', this.#contents.rest());
  }
}

/** Where packed streams are searched beside their outputs: a window and an inspector of their own. */
export interface PackedLane {
  readonly window: Window;
  readonly contents: ContentInspector;
}
