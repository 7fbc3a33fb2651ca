import { EMBEDDED_MAGICS, sniffEmbedded, zipEndBytes } from '../formats/embedded.ts';
import { COOKIE_MAGIC } from '../formats/pyinstaller/cookie.ts';
import { LIMITS } from '../model/limits.ts';
import type { NeedleSet } from '../needles/compile.ts';
import type { EmbeddedStream } from './local.ts';
import type { Span } from './rules/boundaries.ts';

/** A byte pattern that tells of a container rather than of a leak. */
interface Magic {
  readonly bytes: Uint8Array;
  /** `tail`: means something near a content's end. `start`: something that the tail names may begin here. */
  readonly kind: 'tail' | 'start' | 'embedded';
  /** How many bytes before the pattern the stream begins. */
  readonly before: number;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const TAIL_MAGICS: readonly Magic[] = [
  { bytes: bytes('PK\x05\x06'), kind: 'tail', before: 0 },
  { bytes: bytes('koly'), kind: 'tail', before: 0 },
  { bytes: bytes(COOKIE_MAGIC), kind: 'tail', before: 0 },
];

const OPENED_MAGICS: readonly Magic[] = [
  ...TAIL_MAGICS,
  { bytes: bytes('PK\x03\x04'), kind: 'start', before: 0 },
  ...EMBEDDED_MAGICS.map(({ bytes, before }): Magic => ({ bytes, kind: 'embedded', before })),
];

/** What the kernel is to search for: needles first, then the magics of containers. */
export function searchedBytes(set: NeedleSet, opens: boolean): readonly Uint8Array[] {
  const magics = opens ? OPENED_MAGICS : TAIL_MAGICS;
  return [...set.patterns, ...magics.map(({ bytes }) => bytes)];
}

/** What contents without any share: what is handed out is never added to. */
const NONE: readonly never[] = Object.freeze([]);

/** Notes the magics of one content after another. */
export class MagicHits {
  #tail = -1;
  #first = -1;
  #embedded: EmbeddedStream[] = [];
  #lostFrom: number | null = null;
  #archiveEnds: number[] = [];

  begin(): void {
    this.#tail = -1;
    this.#first = -1;
    if (this.#embedded.length > 0) this.#embedded = [];
    if (this.#archiveEnds.length > 0) this.#archiveEnds = [];
    this.#lostFrom = null;
  }

  /** The magic `index` of {@link searchedBytes}, behind the needles, stands at `address`; `origin` is where offset 0 lies. */
  hit(index: number, address: number, span: Span, origin: number): void {
    const { kind, before } = OPENED_MAGICS[index] as Magic;
    const start = address - before;
    if (kind === 'tail') {
      this.#tail = address - origin;
      const recordBytes = zipEndBytes(span.memory, address, span.hi - address, address - origin);
      if (recordBytes === 0) return;
      if (this.#archiveEnds.length < LIMITS.embeddedStreams) {
        this.#archiveEnds.push(address - origin + recordBytes);
      } else this.#lostFrom ??= start - origin;
    } else if (kind === 'embedded') {
      // what a content begins with is told by its head
      if (start < span.lo || start <= origin) return;
      const embedded = sniffEmbedded(span.memory, start, span.hi - start);
      if (embedded === null) return;
      if (this.#embedded.length < LIMITS.embeddedStreams) {
        this.#embedded.push({ kind: embedded, offset: start - origin });
      } else this.#lostFrom ??= start - origin;
    }
    if (this.#first < 0) this.#first = start - origin;
  }

  /** Offset of the last magic that means something near a content's end, or -1. */
  get tail(): number {
    return this.#tail;
  }

  /** Offset from which on something may have to be read again, or -1. */
  get first(): number {
    return this.#first;
  }

  get embedded(): readonly EmbeddedStream[] {
    return this.#embedded.length === 0 ? NONE : this.#embedded;
  }

  /** See {@link Opening.archiveEnds}; their comments may go beyond the content's end. */
  get archiveEnds(): readonly number[] {
    return this.#archiveEnds.length === 0 ? NONE : this.#archiveEnds;
  }

  /** See {@link Opening.lostFrom}. */
  get lostFrom(): number | null {
    return this.#lostFrom;
  }
}
