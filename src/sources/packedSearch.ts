import type { Codec } from '../formats/compression/codec.ts';
import { ZstdStray } from '../formats/compression/zstdStray.ts';
import type { Range } from '../formats/ranges.ts';
import type { ContentInspector } from '../inspect/contentInspector.ts';
import type { LocalFinding } from '../inspect/local.ts';
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
    const known = outputs.flatMap(({ facts }) => facts.findings.filter(isKnownHome));
    const held = new Set(known.map(({ home }) => home));
    this.#close((finding) => isKnownHome(finding) && !held.has(finding.home));
    const [output] = outputs;
    if (output === undefined) return;
    const { findings, gaps } = this.#sink.sorted();
    output.facts.findings.unshift(...findings);
    output.facts.gaps.unshift(...gaps);
  }

  #search(bytes: Uint8Array, offset: number): void {
    const { memory, start } = this.#window;
    if (this.#end !== offset) {
      this.#close(() => true);
      this.#contents.begin(start, offset);
    }
    memory.set(bytes, start);
    this.#contents.extend(start + bytes.length, false);
    this.#window.carry(this.#contents);
    this.#end = offset + bytes.length;
  }

  /** @param isTold of what may be packed content; what is not told takes no room */
  #close(isTold: (finding: LocalFinding) => boolean): void {
    if (this.#end === null) return;
    this.#end = null;
    this.#contents.extend(this.#contents.end, true);
    const { findings, gaps } = this.#contents.rest();
    this.#sink.content('', { findings: this.#stray === null ? findings.filter(isTold) : findings, gaps });
  }
}

function isKnownHome({ rule }: Pick<Finding, 'rule'>): boolean {
  return rule === 'known-home';
}

/** Where packed streams are searched beside their outputs: a window and an inspector of their own. */
export interface PackedLane {
  readonly window: Window;
  readonly contents: ContentInspector;
}
