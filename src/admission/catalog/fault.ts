import type { ErrorCode, NarScanError } from '../../model/errors.ts';
import { ledgerFault } from '../../ledger/sqlite/fault.ts';

/** SQLite's primary result code for a disk without room (https://www.sqlite.org/rescode.html). */
const FULL = 13;

/** An error of the catalog with the reason of SQLite or the system, in one line. */
export function catalogFault(code: ErrorCode, what: string, error: unknown): NarScanError {
  const { errcode, code: name } = error as { errcode?: unknown; code?: unknown };
  const isFull = name === 'ENOSPC' || (typeof errcode === 'number' && (errcode & 0xff) === FULL);
  return ledgerFault(isFull ? 'UPLOAD_NO_ROOM' : code, what, error);
}
