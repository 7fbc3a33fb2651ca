import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileHasher, fileHashOf } from '../../../src/admission/intake/fileHasher.ts';
import { narHashText } from '../../../src/nix/narHash.ts';
import { directory, file, nar } from '../../support/narWriter.ts';

const hashed = (...pieces: readonly Uint8Array[]): string | null => {
  const hasher = new FileHasher();
  for (const piece of pieces) hasher.update(piece);
  return hasher.finish();
};
const sha256 = (bytes: Uint8Array): string => narHashText(createHash('sha256').update(bytes).digest());

test('a body is hashed in pieces, and one of no bytes, too', () => {
  expect(hashed(Buffer.from('ab'), Buffer.from('c'))).toBe(sha256(Buffer.from('abc')));
  expect(hashed()).toBe(sha256(Buffer.alloc(0)));
});

test('what begins as a NAR is left to whoever searches it; what shows that too late is hashed', () => {
  const bytes = nar(directory(['a', file('text')]));
  expect(hashed(bytes)).toBeNull();
  expect(hashed(bytes.subarray(0, 3), bytes.subarray(3))).toBe(sha256(bytes));
});

test('a file that cannot be read has no hash', async () => {
  const missing = join(import.meta.dirname, 'missing');
  await expect(fileHashOf(missing)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
});
