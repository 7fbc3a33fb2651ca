import { NarScanError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';
import type { StreamCodec } from './codec.ts';

/** The kinds of faults that a compressed stream can have. */
export type Fault = 'TRUNCATED' | 'CORRUPT' | 'TRAILING' | 'MEMORY' | 'UNSUPPORTED';

/** The error for a fault; `offset` counts bytes of the compressed stream. */
export function fault(kind: Fault, codec: StreamCodec, offset: number, what: string): NarScanError {
  const code: ErrorCode = `COMPRESSION_${kind}`;
  return new NarScanError(code, `${codec} stream at byte ${offset}: ${what}`, { offset });
}

export function truncated(codec: StreamCodec, offset: number): NarScanError {
  return fault('TRUNCATED', codec, offset, 'ends early');
}

/** Counts the streams in a row of one input. */
export class StreamCount {
  readonly #codec: StreamCodec;
  readonly #most: number;
  #count = 0;

  constructor(codec: StreamCodec, most: number) {
    this.#codec = codec;
    this.#most = most;
  }

  /** One more begins. @throws NarScanError COMPRESSION_UNSUPPORTED */
  begins(offset: number): void {
    if (++this.#count > this.#most)
      throw fault('UNSUPPORTED', this.#codec, offset, `there are more than ${this.#most} streams in a row`);
  }
}

export function trailing(codec: StreamCodec, offset: number): NarScanError {
  return fault('TRAILING', codec, offset, 'bytes after the end are not another stream');
}
