import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What makes an image of the folder `tree`, at `a.iso`. */
export const XORRISO = 'xorriso -as mkisofs -quiet';
export const GENISOIMAGE = 'genisoimage -quiet';

/**
 * The image that a program makes of what a script puts into the folder `tree`.
 * @param work where a folder is made for it
 * @param maker a shell command, such as {@link XORRISO} with its options
 */
export function imageOf(work: string, script: string, maker: string): Buffer {
  const cwd = mkdtempSync(join(work, 'image-'));
  const line = `set -e; mkdir tree; ${script}; cd "${cwd}"; ${maker} -o a.iso tree`;
  execFileSync('sh', ['-c', line], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  return readFileSync(join(cwd, 'a.iso'));
}

/** Offset of the first record of a name, as it is written in its directory. */
export function recordAt(image: Buffer, name: string): number {
  for (let at = image.indexOf(name, 'latin1'); at >= 0; at = image.indexOf(name, at + 1, 'latin1')) {
    if (image[at - 1] === name.length) return at - 33;
  }
  throw new Error(`no record of ${name}`);
}

/** Writes both copies of a number. */
export function writeBoth(image: Buffer, at: number, value: number): void {
  image.writeUInt32LE(value, at);
  image.writeUInt32BE(value, at + 4);
}
