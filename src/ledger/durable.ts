import { closeSync, fsyncSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/* What outlives a crash. A sync may take long beside large writes: what serves others waits for it in the forms that keep no thread. */

/** Writes all of the bytes at the end of an open file. @throws the system's error */
function writeFully(descriptor: number, bytes: Uint8Array): void {
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

/** Opens a file without keeping the thread. What does that is loaded here: the hook starts without it. @throws the system's error */
export async function openFile(path: string, flags: string | number, mode?: number): Promise<FileHandle> {
  const { open } = await import('node:fs/promises');
  return await open(path, flags, mode);
}

/** As {@link syncDirectory}, without keeping the thread. */
export async function directorySynced(path: string): Promise<void> {
  const handle = await openFile(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** As {@link writeSynced}, without keeping the thread. */
export async function fileSynced(
  path: string,
  pieces: Iterable<string | Uint8Array>,
  mode: number,
): Promise<void> {
  const handle = await openFile(path, 'w', mode);
  try {
    for (const piece of pieces) await handle.writeFile(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a directory, and those it lies in, where they are not there yet. `mkdirSync` by itself never
 * ends where a directory is there in which none can be made, and the system says ENOENT, as in /proc.
 *
 * @param mode of each that is made
 * @throws the system's error
 */
export function makeDirectories(path: string, mode: number): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (statSync(parent, { throwIfNoEntry: false }) === undefined) makeDirectories(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // another process may have been faster
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
