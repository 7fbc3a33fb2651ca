import type { Readable } from 'node:stream';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Body } from '../uploads.ts';
import { Pace } from './pace.ts';

/** Who takes a body. Of `end` and `fault` one is called, once, and nothing after it. */
export interface Taker {
  piece(bytes: Uint8Array): void;
  end(): void;
  /** UPLOAD_TRUNCATED, UPLOAD_LENGTH, UPLOAD_TOO_LARGE, UPLOAD_SLOW */
  fault(error: NarScanError): void;
}

/**
 * A body as it comes: as many bytes as were told, no more than are taken, and fast enough. The stream is neither
 * destroyed nor drained when that is over, so that whoever speaks to the client can answer first.
 */
export class Arrival {
  readonly #stream: Readable;
  readonly #length: number | null;
  readonly #most: number;
  readonly #taker: Taker;
  readonly #pace = new Pace();
  readonly #timer: NodeJS.Timeout;
  #received = 0;

  constructor({ stream, length }: Body, most: number, taker: Taker) {
    this.#stream = stream;
    this.#length = length;
    this.#most = most;
    this.#taker = taker;
    this.#timer = setInterval(() => this.#window(), LIMITS.uploadWindowMilliseconds);
    this.#timer.unref();
    stream.on('end', this.#end);
    stream.on('error', this.#broken);
    stream.on('close', this.#broken);
    stream.on('data', this.#take);
    // a client that was gone before anybody listened does not say so again
    if (stream.destroyed) queueMicrotask(this.#broken);
  }

  get isPaused(): boolean {
    return this.#stream.isPaused();
  }

  /** It comes too fast: what the client cannot send now is not its fault. */
  pause(): void {
    this.#pace.excuse();
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Nobody takes it any more; nothing is told from now on. */
  stop(): void {
    clearInterval(this.#timer);
    const stream = this.#stream;
    stream.off('end', this.#end);
    stream.off('error', this.#broken);
    stream.off('close', this.#broken);
    stream.off('data', this.#take);
    stream.pause();
  }

  readonly #take = (bytes: Uint8Array): void => {
    this.#received += bytes.length;
    this.#pace.arrived(bytes.length);
    if (this.#received > this.#most)
      return this.#fault('UPLOAD_TOO_LARGE', `there are more than ${this.#most} bytes`);
    if (this.#length !== null && this.#received > this.#length)
      return this.#fault('UPLOAD_LENGTH', `there are more than the ${this.#length} bytes that were told`);
    this.#taker.piece(bytes);
  };

  readonly #end = (): void => {
    if (this.#length !== null && this.#received < this.#length) return this.#broken();
    this.stop();
    this.#taker.end();
  };

  readonly #broken = (): void => {
    const of = this.#length === null ? '' : ` of ${this.#length}`;
    this.#fault('UPLOAD_TRUNCATED', `the upload broke off after ${this.#received}${of} bytes`);
  };

  #window(): void {
    if (this.isPaused) this.#pace.excuse();
    if (!this.#pace.isTooSlow()) return;
    const seconds = LIMITS.uploadWindowMilliseconds / 1000;
    this.#fault('UPLOAD_SLOW', `less than ${LIMITS.uploadWindowBytes} bytes came in ${seconds} s`);
  }

  #fault(
    code: 'UPLOAD_TRUNCATED' | 'UPLOAD_LENGTH' | 'UPLOAD_TOO_LARGE' | 'UPLOAD_SLOW',
    message: string,
  ): void {
    this.stop();
    this.#taker.fault(new NarScanError(code, message));
  }
}

/**
 * To be called as soon as there is a body: its stream may break while nobody listens, before and after, and that must
 * not end the process.
 * @param most bytes that are taken
 * @throws NarScanError UPLOAD_TOO_LARGE for one that says itself that it is too long
 */
export function expectBody({ stream, length }: Body, most: number): void {
  stream.on('error', () => undefined);
  if (length !== null && length > most)
    throw new NarScanError('UPLOAD_TOO_LARGE', `${length} bytes are more than ${most}`);
}
