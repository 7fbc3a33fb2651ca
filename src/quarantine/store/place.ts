import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../report/ids.ts';

/** Files of one quarantined output. */
export const NAR_FILE = 'output.nar.zst';
export const REPORT_FILE = 'report.json';
export const FACTS_FILE = 'facts';
export const INFO_FILE = 'info.json';

/** What is written aside: not an output before it is renamed. */
const ASIDE = /^\.new-[0-9a-f]{16}-[0-9a-f]{16}$/;
const ID = /^[0-9a-f]{16}$/;
const ID_DIGITS = 16;

/** Where the quarantined outputs of a state directory lie, a directory each. */
export function quarantineDir(state: string): string {
  return join(state, 'quarantine');
}

/** The lock of that directory: writers share it, whoever counts or drops takes it single. */
export function quarantineLock(state: string): string {
  return join(state, 'quarantine.lock');
}

/** The same output, content and path, has the same id. */
export function quarantineId(storePath: string, narHash: string | null, digest: Digest): string {
  return digest(Buffer.from(JSON.stringify(['quarantine', storePath, narHash]))).slice(0, ID_DIGITS);
}

export function asideName(id: string, random: string): string {
  return `.new-${id}-${random}`;
}

/** What writers left who did not come to an end. */
export function leftovers(directory: string): readonly string[] {
  return namesIn(directory).filter((name) => ASIDE.test(name));
}

/** Ids of the outputs that lie there. */
export function outputsIn(directory: string): readonly string[] {
  return namesIn(directory).filter((name) => ID.test(name));
}

/** Bytes of the files of one output. */
export function bytesIn(directory: string): number {
  const sizes = namesIn(directory).map((file) => sizeOf(join(directory, file)) ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Size of a kept NAR on disk, or null where there is none. */
export function keptBytes(directory: string, id: string): number | null {
  return sizeOf(join(directory, id, NAR_FILE));
}

/** Whether what was found in an output is there. */
export function hasFindings(directory: string, id: string): boolean {
  return sizeOf(join(directory, id, REPORT_FILE)) !== null;
}

function sizeOf(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? null;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
