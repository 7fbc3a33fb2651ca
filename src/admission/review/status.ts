import { type ErrorCode, NarScanError } from '../../model/errors.ts';

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  QUARANTINE_UNKNOWN: 404,
  DECISION_UNKNOWN: 404,
  REVIEW_INVALID: 400,
  PATH_NOT_IN_STORE: 400,
  REVIEW_FORGED: 403,
  REVIEW_CHANGED: 409,
  QUARANTINE_NOT_RELEASABLE: 409,
  STATE_LOCKED: 503,
};

/** The status of a page that tells of an error. */
export function statusOf(error: unknown): number {
  return (error instanceof NarScanError ? STATUS[error.code] : undefined) ?? 500;
}
