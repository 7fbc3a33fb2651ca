import type { ByteString } from '../../model/bytes.ts';
import { NarScanError, type ErrorCode } from '../../model/errors.ts';
import type { GapReason } from '../../model/facts.ts';
import type { ContainerFault } from '../container.ts';

const REASONS: Partial<Record<ErrorCode, GapReason>> = {
  COMPRESSION_TRUNCATED: 'truncated',
  COMPRESSION_MEMORY: 'limit-memory',
  COMPRESSION_UNSUPPORTED: 'unsupported',
  CONTAINER_TRUNCATED: 'truncated',
  CONTAINER_LIMIT: 'limit-size',
  CONTAINER_UNREADABLE: 'unreadable',
};

/** What an error of reading a part of the image means, where the rest of it is read on. @throws any other error */
export function gapOf(error: unknown, member: ByteString | null = null): ContainerFault {
  if (!(error instanceof NarScanError)) throw error;
  const reason = REASONS[error.code] ?? 'corrupt';
  return { item: 'fault', reason, offset: error.offset, member, detail: error.message };
}
