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

export function trailing(codec: StreamCodec, offset: number): NarScanError {
  return fault('TRAILING', codec, offset, 'bytes after the end are not another stream');
}
