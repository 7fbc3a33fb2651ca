import { NarScanError, type ErrorCode } from '../../model/errors.ts';

/*
 * Primary result codes of SQLite, as https://www.sqlite.org/rescode.html lists them; extended ones
 * have them in their low byte.
 */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** Whether an error says that a database file is damaged. */
export function saysDamaged(error: unknown): boolean {
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined;
  return typeof code === 'number' && [CORRUPT, NOT_A_DATABASE].includes(code & 0xff);
}

/** An error of the ledger with the reason of SQLite or the system, in one line. */
export function ledgerFault(code: ErrorCode, what: string, error: unknown): NarScanError {
  if (error instanceof NarScanError) return error;
  const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return new NarScanError(code, `${what}: ${reason}`, { cause: error });
}
