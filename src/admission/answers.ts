import { ERRORS, type ErrorCode, NarScanError } from '../model/errors.ts';
import { printableText } from '../report/printable.ts';
import type { Answer } from './contracts.ts';

/** Bytes of an answer's line; a client shows no body of 1,024 and more. */
export const ANSWER_LINE_MOST = 999;

/**
 * What an error of an upload is to the client. Older clients send a second try with an empty body and
 * then hang, so 5xx is said only where another try by the same client may help.
 */
const STATUS: Readonly<Partial<Record<ErrorCode, Answer['status']>>> = {
  UPLOAD_NAME: 400,
  UPLOAD_LENGTH: 400,
  UPLOAD_TRUNCATED: 400,
  UPLOAD_SLOW: 400,
  UPLOAD_HASH: 400,
  UPLOAD_ENCODING: 400,
  UPLOAD_TOO_LARGE: 413,
  UPLOAD_NO_ROOM: 413,
  UPLOAD_COMPRESSION: 422,
  EXPORT_BAD_PATH: 422,
  NARINFO_INVALID: 400,
  NARINFO_UNBOUND: 422,
  NARINFO_WRONG: 422,
  OBJECT_INVALID: 400,
  CACHE_STORE_DIR: 409,
  PATH_PUBLISHED: 409,
  ACCESS_NO_TOKEN: 401,
  ACCESS_UNKNOWN_TOKEN: 401,
  ACCESS_SCOPE: 403,
  ACCESS_TOO_MANY: 403,
  ACCESS_OPEN: 403,
  HOMES_REQUEST: 400,
  HOMES_TOO_MANY: 413,
  USAGE_BAD_HOME: 422,
  STORAGE_FULL: 413,
  STORAGE_FAILED: 503,
  CATALOG_UNREADABLE: 503,
  CATALOG_NOT_WRITTEN: 503,
  SCAN_FAILED: 503,
  INTERRUPTED: 503,
  STATE_UNREADABLE: 503,
  STATE_NOT_WRITTEN: 503,
  STATE_LOCKED: 503,
  STATE_UNSAFE: 503,
  AUDIT_BROKEN: 503,
  AUDIT_TRUNCATED: 503,
};

/** The answer to an upload that could not be taken for this error: what, and what to do about it. */
export function answerOf(error: unknown): Answer {
  if (!(error instanceof NarScanError))
    return { status: 500, line: answerLine(`nar-scan: INTERNAL: ${ERRORS.INTERNAL}`) };
  const line = `nar-scan: ${error.code}: ${error.message}; ${error.hint}`;
  return { status: STATUS[error.code] ?? 500, line: answerLine(line) };
}

/** The answer to what was done. */
export function done(text: string): Answer {
  return { status: 200, line: answerLine(`nar-scan: ${text}`) };
}

/**
 * What an act gives; what goes wrong in it is an answer, too. Never rejects.
 * @param log is told of what is no fault of the client
 */
export async function answered<T>(
  act: () => Promise<T>,
  log: { error(error: unknown): void },
): Promise<T | Answer> {
  try {
    return await act();
  } catch (error) {
    const answer = answerOf(error);
    if (answer.status >= 500) log.error(error);
    return answer;
  }
}

/** One line of printable ASCII that fits into an answer. */
export function answerLine(text: string): string {
  const line = printableText(text).replaceAll(/[^ -~]/g, '?');
  return line.length <= ANSWER_LINE_MOST ? line : `${line.slice(0, ANSWER_LINE_MOST - 3)}...`;
}
