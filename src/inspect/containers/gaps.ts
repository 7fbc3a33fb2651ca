import { NarScanError, type ErrorCode } from '../../model/errors.ts';
import type { GapReason } from '../../model/facts.ts';
import type { LocalGap } from '../local.ts';
import { LimitReached } from './budget.ts';

const REASONS: Partial<Record<ErrorCode, GapReason>> = {
  COMPRESSION_TRUNCATED: 'truncated',
  COMPRESSION_MEMORY: 'limit-memory',
  COMPRESSION_UNSUPPORTED: 'unsupported',
  CONTAINER_TRUNCATED: 'truncated',
  CONTAINER_ENCRYPTED: 'encrypted',
  CONTAINER_UNSUPPORTED: 'unsupported',
  CONTAINER_LIMIT: 'limit-memory',
  CONTAINER_UNREADABLE: 'unreadable',
};

/**
 * What a fault of reading a container means for the report. A fault of this program is a gap too:
 * one container that nobody foresaw must not cost the facts of all others.
 */
export function gapOfFault(error: unknown): LocalGap {
  if (error instanceof LimitReached) return { reason: error.reason, offset: null, detail: error.message };
  if (error instanceof NarScanError) {
    const reason = REASONS[error.code] ?? 'corrupt';
    return { reason, offset: error.offset, detail: `${error.code}: ${error.message}` };
  }
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined) {
    return { reason: 'unreadable', offset: null, detail: `${code} at ${syscall}` };
  }
  return { reason: 'internal', offset: null, detail: `could not be read: ${message ?? String(error)}` };
}
