import type { Transform } from 'node:stream';

/**
 * Bytes of one output chunk. Between two of them the decoding thread waits for this one to take
 * notice: Node's default of 16 KiB costs half the speed, 256 KiB still a tenth.
 */
const CHUNK_BYTES = 1024 * 1024;

/** The options that make a decoder of node:zlib fit a {@link ZlibPump}. */
export const PUMP_OPTIONS = {
  chunkSize: CHUNK_BYTES,
  // One chunk ready at most: the thread pool decodes the next one while this one is worked on.
  readableHighWaterMark: CHUNK_BYTES,
} as const;

/** The most that a damaged beginning is decoded to. */
export const PARTIAL_OUTPUT_BYTES = 64 * 1024 * 1024;

export type ZlibDecoder = Transform & { readonly bytesWritten: number };

/** A decoder of node:zlib, pulled from: pieces go in one after another, chunks come out. */
export class ZlibPump {
  /** The decoder saw the end of its stream. */
  ended = false;
  error: Error | null = null;
  readonly #stream: ZlibDecoder;
  #queued = 0;
  #open = true;
  #last: Uint8Array<ArrayBuffer> | null = null;
  #sleepers: (() => void)[] = [];

  constructor(stream: ZlibDecoder) {
    this.#stream = stream;
    stream.on('readable', () => this.#wake());
    stream.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    stream.on('error', (error: Error) => this.#fail(error));
    stream.on('close', () => this.#wake());
  }

  /** Compressed bytes that the decoder has used. */
  get used(): number {
    return this.#stream.bytesWritten;
  }

  /** Nothing more will come out, whatever goes in. */
  get over(): boolean {
    return this.ended || this.error !== null || this.#stream.destroyed;
  }

  /** Hands over a piece, which must not change until it is used up. */
  write(piece: Uint8Array): void {
    this.#queued += 1;
    this.#stream.write(piece, (error) => {
      this.#queued -= 1;
      if (error) this.#fail(error);
      this.#wake();
    });
  }

  /** Waits until fewer than `count` pieces are in the queue, or the pump is over. */
  async room(count: number): Promise<void> {
    while (this.#queued >= count && !this.over) await this.#sleep();
  }

  /** Says that there are no more pieces. The decoder must now see its end. */
  finish(): void {
    this.#stream.end();
  }

  /** As {@link finish}, but a decoder that does not see its end just stops giving chunks. */
  pause(): void {
    this.#open = false;
    this.#wake();
  }

  /**
   * The next chunk; null at the stream's end and after an error. With `wait` false also null once
   * every piece is used up.
   */
  async read(wait: boolean): Promise<Uint8Array | null> {
    this.#free();
    for (;;) {
      // Joins what is ready; after an error it still gives what was decoded before.
      const chunk = this.#stream.read() as Uint8Array<ArrayBuffer> | null;
      if (chunk !== null) {
        this.#last = chunk;
        return chunk;
      }
      if (this.over || (this.#queued === 0 && !(wait && this.#open))) return null;
      await this.#sleep();
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  /**
   * Gives the memory of the last chunk back now and not at some garbage collection: without this
   * the fresh pages of ever new buffers cost as much time as the decoding, and tens of megabytes.
   * The decoder goes on to a new buffer when it has filled one to its end, so only such a one is
   * free; of any other size it is not the decoder's own.
   */
  #free(): void {
    const last = this.#last;
    this.#last = null;
    if (last === null || last.buffer.byteLength !== CHUNK_BYTES) return;
    if (last.byteOffset + last.byteLength === CHUNK_BYTES) last.buffer.transfer(0);
  }

  #fail(error: Error): void {
    this.error ??= error;
    this.#wake();
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => this.#sleepers.push(resolve));
  }

  #wake(): void {
    const sleepers = this.#sleepers;
    this.#sleepers = [];
    for (const wake of sleepers) wake();
  }
}
