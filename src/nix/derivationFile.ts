import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type ByteString, displayText, fsPath } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { type Derivation, parseDerivation } from './derivation.ts';

/**
 * Reads a `.drv` file.
 * @throws NarScanError DERIVATION_UNREADABLE, DERIVATION_INVALID
 */
export function readDerivation(path: ByteString): Derivation {
  const name = `the derivation '${displayText(path)}'`;
  const unreadable = (why: string, cause?: unknown): NarScanError =>
    new NarScanError('DERIVATION_UNREADABLE', `${name} cannot be read: ${why}`, { cause });
  let descriptor: number | null = null;
  try {
    // a fifo would keep the program waiting for a writer
    descriptor = openSync(fsPath(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw unreadable('it is no file');
    if (status.size > LIMITS.derivationBytes) {
      throw unreadable(`it is larger than ${LIMITS.derivationBytes} bytes`);
    }
    return parseDerivation(readUpTo(descriptor, status.size), name);
  } catch (error) {
    if (error instanceof NarScanError) throw error;
    throw unreadable((error as NodeJS.ErrnoException).code ?? String(error), error);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const count = readSync(descriptor, bytes, length, size - length, null);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}
