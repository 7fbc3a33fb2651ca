import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** Why a file of settings cannot be read, in words that follow its name and a colon. */
export class SettingsFileFault extends Error {
  override readonly name = 'SettingsFileFault';
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean, cause?: unknown) {
    super(message, { cause });
    this.isMissing = isMissing;
  }
}

/**
 * Reads a small file that people write, whatever lies there: what was looked at is what is read, a fifo keeps nobody
 * waiting, and no more than `most` bytes are taken.
 *
 * @param accept throws for what is not to be read
 * @throws SettingsFileFault; what `accept` throws
 */
export function readSettingsFile(path: string, most: number, accept: (status: Stats) => void): Buffer {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const status = fstatSync(descriptor);
    // a device, such as /dev/null, is a way to say: nothing
    if (!status.isFile() && !status.isCharacterDevice()) throw new SettingsFileFault('it is no file', false);
    accept(status);
    return readAll(descriptor, most);
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    throw new SettingsFileFault(reasonOf(error.code), isMissing, error);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function readAll(descriptor: number, most: number): Buffer {
  const bytes = Buffer.allocUnsafe(most + 1);
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (count === 0) return bytes.subarray(0, length);
    length += count;
  }
  throw new SettingsFileFault(`it is larger than ${most} bytes`, false);
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function reasonOf(code: string | undefined): string {
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  return code === 'EISDIR' ? 'it is no file' : (code ?? 'no reason given');
}
