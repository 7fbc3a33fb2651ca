import { open } from 'node:fs/promises';
import { NarScanError } from '../model/errors.ts';

/** What Nix can pack a NAR with and nothing here opens. (libarchive: archive_read_support_filter_*.c.) */
const MAGICS: readonly (readonly [string, string])[] = [
  ['lzop', '\x89LZO\0\r\n\x1a\n'],
  ['lrzip', 'LRZI\0'],
  ['grzip', 'GRZipII\0'],
];
const MAGIC_BYTES = 16;

/**
 * Refuses a file that is packed in a way that cannot be opened, so that whoever sent it learns which to use.
 * @throws NarScanError UPLOAD_COMPRESSION; errors of the system
 */
export async function refuseUnopened(file: string, name: string): Promise<void> {
  await using handle = await open(file);
  const head = Buffer.alloc(MAGIC_BYTES);
  await handle.read(head, 0, MAGIC_BYTES, 0);
  const text = head.toString('latin1');
  const found = MAGICS.find(([, magic]) => text.startsWith(magic));
  if (found !== undefined) throw new NarScanError('UPLOAD_COMPRESSION', `${name} is packed by ${found[0]}`);
}
