import { NarScanError } from '../../model/errors.ts';

/** No room on the disk, for this user, or for a file of this size. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** There is no such file, whatever of its path is missing. */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** Whether an error of the system says that there is no such file. */
export function saysMissing(error: unknown): boolean {
  return MISSING.has(codeOf(error));
}

/**
 * An error of the storage with the system's reason.
 * @param what was tried, without secrets
 */
export function storageFault(what: string, error: unknown): NarScanError {
  if (error instanceof NarScanError) return error;
  const code = codeOf(error);
  const reason = code === '' && error instanceof Error ? error.message : code;
  return new NarScanError(FULL.has(code) ? 'STORAGE_FULL' : 'STORAGE_FAILED', `${what}: ${reason}`, {
    cause: error,
  });
}

/** What keeps a directory from being a storage, for whoever starts the server. */
export function storageUnusable(root: string, error: unknown): NarScanError {
  const fault = storageFault(`the storage '${root}' cannot be used`, error);
  if (fault.code === 'STORAGE_FULL') return fault;
  return new NarScanError('STORAGE_UNUSABLE', fault.message, { cause: error });
}

/** What another server answers is told as its number alone: the text is another's. */
export function unexpectedStatus(status: number | undefined): Error {
  return new Error(`it answers with status ${status ?? 0}`);
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
