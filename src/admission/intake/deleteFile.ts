import { unlink } from 'node:fs/promises';

/** Deletes a file; what cannot be deleted now is swept at the next start. */
export async function deleteFile(file: string): Promise<void> {
  await unlink(file).catch(() => undefined);
}
