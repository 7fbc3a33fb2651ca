import { NarScanError } from '../../model/errors.ts';

/** No room on the disk, for this user, or for a file of this size. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What it means to a client that the system would not take its bytes. */
export function writeFault(error: unknown): NarScanError {
  const { code = 'no reason given' } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (NO_ROOM.has(code))
    return new NarScanError('UPLOAD_NO_ROOM', `there is no room for the upload (${code})`, options);
  return new NarScanError('STATE_NOT_WRITTEN', `the upload cannot be written (${code})`, options);
}
