import type { Worker } from 'node:worker_threads';
import type { Codec } from '../formats/compression/codec.ts';
import { NarScanError } from '../model/errors.ts';
import { decodeHere, type Decode, type Decoding, type Packed } from '../sources/packed.ts';
import {
  BROKEN,
  decodedOf,
  DecodeLink,
  decodeLinkMemory,
  type DecodingFault,
  DONE,
  FAILED,
  FAULT,
  LAST,
} from './decodeLink.ts';
import { startThread } from './thread.ts';

/** Packed streams below this many bytes are decoded before a thread has started. */
const LEAST_BYTES = 4 * 1024 * 1024;
/** What is decoded about as fast as it is searched; of the others the search is a tenth of the time or less. */
const FAST: ReadonlySet<Codec> = new Set(['zstd', 'lz4', 'gzip']);

interface Decoder {
  readonly link: DecodeLink;
  readonly worker: Worker;
}

/**
 * Decodes in a thread of its own, beside the search, where that pays: one stream after another. The thread starts with
 * the first, and lives as long as the one that scans; a stream that does not come to its end ends it, too.
 */
export class ThreadDecoder {
  #decoder: Decoder | null = null;

  /** As `decompress` does: the same bytes, and the same error at their end. */
  readonly decode: Decode = (codec, packed, length) => {
    const isShort = length !== null && length < LEAST_BYTES;
    if (isShort || !FAST.has(codec)) return decodeHere(codec, packed);
    this.#decoder ??= startDecoder();
    return new ThreadDecoding(this.#decoder.link, codec, packed, () => this.#abandon());
  };

  #abandon(): void {
    void this.#decoder?.worker.terminate();
    this.#decoder = null;
  }
}

function startDecoder(): Decoder {
  const shared = decodeLinkMemory();
  const worker = startThread('./decodeThread.ts', import.meta.url, shared);
  worker.unref();
  return { link: new DecodeLink(shared), worker };
}

/** One stream on its way through the thread. */
class ThreadDecoding implements Decoding {
  given = 0;
  readonly #link: DecodeLink;
  readonly #codec: Codec;
  readonly #packed: Iterator<Uint8Array>;
  readonly #abandon: () => void;
  #failure: { readonly error: unknown } | null = null;
  #isFed = false;

  constructor(link: DecodeLink, codec: Codec, packed: Packed, abandon: () => void) {
    this.#link = link;
    this.#codec = codec;
    this.#packed = packed[Symbol.iterator]();
    this.#abandon = abandon;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { decoded } = this.#link;
    let isOver = false;
    try {
      this.#send(Buffer.from(this.#codec));
      for (;;) {
        const slot = this.#next();
        if (typeof slot === 'number') {
          decoded.taken();
          isOver = slot === DONE;
          if (isOver) return;
          throw this.#errorBehind(slot);
        }
        const { bytes, given } = decodedOf(slot);
        this.given = given;
        yield bytes;
        decoded.taken();
      }
    } finally {
      if (!isOver) this.#abandon();
    }
  }

  /** The next decoded slot; until there is one, packed bytes are handed over as they are wanted. */
  #next(): Uint8Array | number {
    const { packed, decoded } = this.#link;
    for (;;) {
      const { events } = this.#link;
      // first, so that there is something to decode while others are searched
      if (!this.#isFed && packed.hasRoom) this.#feed();
      else if (decoded.hasNext) return decoded.next();
      else this.#link.awaitEvent(events);
    }
  }

  #feed(): void {
    const piece = this.#pull();
    if (piece.length > 0) return this.#send(piece);
    this.#isFed = true;
    this.#link.packed.publish(this.#failure === null ? LAST : BROKEN);
  }

  /** The next piece that is not empty, or an empty one at the end of all. */
  #pull(): Uint8Array {
    try {
      for (;;) {
        const { done, value } = this.#packed.next();
        if (done === true) return Buffer.alloc(0);
        if (value.length > 0) return value;
      }
    } catch (error) {
      this.#failure = { error };
      return Buffer.alloc(0);
    }
  }

  /** A piece of a {@link Packed} fits in a slot. */
  #send(bytes: Uint8Array): void {
    const { packed } = this.#link;
    packed.room().set(bytes);
    packed.publish(bytes.length);
  }

  #errorBehind(mark: number): unknown {
    if (mark === FAILED) return this.#failure?.error ?? new Error('the stream broke off');
    const { decoded } = this.#link;
    const text = mark === FAULT ? decoded.next() : mark;
    if (typeof text === 'number') return new Error('the decoding thread does not say what it means');
    const { code, message, offset } = JSON.parse(Buffer.from(text).toString()) as DecodingFault;
    decoded.taken();
    if (code === null) return new Error(message);
    return new NarScanError(code, message, offset === null ? {} : { offset });
  }
}
