import { write } from 'node:fs';
import { promisify } from 'node:util';

const writeSome = promisify(write);

/** Pause before a descriptor that is full and does not block is tried again. */
const RETRY_MILLISECONDS = 5;

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

/**
 * Writes texts to a file descriptor one after the other without blocking the program, so that a
 * reader who stops reading cannot keep signals from being handled. A reader who has gone (EPIPE)
 * is no fault: what is left is dropped.
 */
export class DescriptorWriter {
  readonly #descriptor: number;
  readonly #onFault: (error: unknown) => void;
  #state: 'open' | 'gone' | 'faulty' = 'open';
  #last: Promise<void> = Promise.resolve();

  /** @param onFault called once, with the first write error that is not EPIPE */
  constructor(descriptor: number, onFault: (error: unknown) => void) {
    this.#descriptor = descriptor;
    this.#onFault = onFault;
  }

  /** Queues a text. Resolves when it has been written or dropped; never rejects. */
  write(text: string): Promise<void> {
    if (text !== '' && this.#state === 'open') {
      this.#last = this.#last.then(() => this.#writeAll(Buffer.from(text)));
    }
    return this.#last;
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    let written = 0;
    while (written < bytes.length && this.#state === 'open') {
      try {
        const result = await writeSome(this.#descriptor, bytes, written, bytes.length - written, null);
        written += result.bytesWritten;
      } catch (error) {
        await this.#fail(error);
      }
    }
  }

  async #fail(error: unknown): Promise<void> {
    const code = codeOf(error);
    if (code === 'EAGAIN') {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    } else if (code === 'EPIPE') {
      this.#state = 'gone';
    } else {
      this.#state = 'faulty';
      this.#onFault(error);
    }
  }
}
