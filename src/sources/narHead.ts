import { closeSync, constants, openSync, readSync } from 'node:fs';
import { sniffNar, SNIFF_BYTES } from '../formats/nar/sniff.ts';

/**
 * What a file is by its first bytes: a NAR or an export stream as it is, or neither. Never waits for a pipe that took
 * its place.
 *
 * @throws the system's error
 */
export function sniffNarFile(path: string | Buffer): ReturnType<typeof sniffNar> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const head = Buffer.alloc(SNIFF_BYTES);
    const count = readSync(fd, head, 0, SNIFF_BYTES, 0);
    // the eight zero bytes of an empty export stream are told by name only
    return count > 8 ? sniffNar(head.subarray(0, count)) : null;
  } finally {
    closeSync(fd);
  }
}
