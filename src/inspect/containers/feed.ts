import type { ByteStream } from '../../formats/container.ts';
import type { Turns } from '../turns.ts';

const NOTHING = new Uint8Array(0);

/** Pulls a stream into a given place, as much as there is room for. */
export class Feed {
  readonly #iterator: AsyncIterator<Uint8Array>;
  /** Bytes of the last chunk that are still to be given. */
  #rest: Uint8Array = NOTHING;
  #ended = false;
  /** What ended the stream before its time, boxed since anything can be thrown. */
  failure: { readonly error: unknown } | null = null;

  readonly #onChunk: (count: number) => void;
  readonly #turns: Turns | null;

  /** @param onChunk told of each chunk's bytes; what it throws ends the stream */
  constructor(stream: ByteStream, onChunk: (count: number) => void, turns: Turns | null = null) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#onChunk = onChunk;
    this.#turns = turns;
  }

  /** Takes bytes into memory[at, at + room), as far as the stream goes; less only at its end, and then for good. */
  async take(memory: Uint8Array, at: number, room: number): Promise<number> {
    let count = 0;
    while (count < room) {
      if (this.#rest.length === 0) {
        if (this.#ended) break;
        // what was given is the stream's again, which may free it
        this.#rest = NOTHING;
        await this.#pull();
      }
      const part = this.#rest.subarray(0, room - count);
      memory.set(part, at + count);
      count += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return count;
  }

  /** Lets the stream go. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#iterator.return?.();
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#iterator.next();
      if (done === true) {
        this.#ended = true;
        return;
      }
      this.#rest = value;
      this.#onChunk(value.length);
      if (this.#turns?.due === true) await this.#turns.pass();
    } catch (error) {
      this.failure = { error };
      await this.close();
    }
  }
}
