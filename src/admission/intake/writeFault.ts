import { NarScanError } from '../../model/errors.ts';

/** What it means to a client that the system would not take its bytes. */
export function writeFault(error: unknown): NarScanError {
  const { code = 'no reason given' } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new NarScanError('UPLOAD_NO_ROOM', `there is no room for the upload (${code})`, options);
  return new NarScanError('STATE_NOT_WRITTEN', `the upload cannot be written (${code})`, options);
}
