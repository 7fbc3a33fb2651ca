import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** Writes all of the bytes at the end of an open file. @throws the system's error */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}

/** Makes what was created, renamed or removed in a directory outlive a crash. @throws the system's error */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file that outlives a crash, in pieces.
 * @throws the system's error
 */
export function writeSynced(path: string, pieces: Iterable<string | Uint8Array>, mode: number): void {
  const descriptor = openSync(path, 'w', mode);
  try {
    for (const piece of pieces)
      writeFully(descriptor, typeof piece === 'string' ? Buffer.from(piece) : piece);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
