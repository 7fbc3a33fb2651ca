import { execFileSync } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { receiveSmall } from '../../../src/admission/intake/small.ts';
import type { Body } from '../../../src/admission/uploads.ts';

const TEXT = Buffer.from('StorePath: /nix/store/…\n'.repeat(1000));
const MOST = TEXT.length;

function body(bytes: Uint8Array, encoding: string | null, length: number | null = bytes.length): Body {
  const half = bytes.length >> 1;
  return { stream: Readable.from([bytes.subarray(0, half), bytes.subarray(half)]), length, encoding };
}

test.each([
  ['none', (bytes: Buffer) => bytes],
  ['identity', (bytes: Buffer) => bytes],
  ['gzip', gzipSync],
  ['GZIP', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['xz', (bytes: Buffer) => execFileSync('xz', ['-9c'], { input: bytes })],
  ['bzip2', (bytes: Buffer) => execFileSync('bzip2', ['-c'], { input: bytes })],
])('a small body is unpacked: %s', async (encoding, pack) => {
  expect(await receiveSmall(body(pack(TEXT), encoding), MOST)).toEqual(TEXT);
});

test('a body of unknown length is taken', async () => {
  expect(await receiveSmall(body(TEXT, null, null), MOST)).toEqual(TEXT);
});

test.each([
  ['too long', 'UPLOAD_TOO_LARGE', body(Buffer.alloc(MOST + 1), null)],
  ['too long, and does not say so', 'UPLOAD_TOO_LARGE', body(Buffer.alloc(MOST + 1), null, null)],
  ['a bomb', 'UPLOAD_TOO_LARGE', body(gzipSync(Buffer.alloc(64 * 1024 * 1024)), 'gzip')],
  ['shorter than told', 'UPLOAD_TRUNCATED', body(TEXT.subarray(2), null, MOST)],
  ['packed in a way that nobody knows', 'UPLOAD_ENCODING', body(TEXT, 'gzip, br')],
  ['not packed as it says', 'UPLOAD_ENCODING', body(TEXT, 'zstd')],
  ['cut short', 'UPLOAD_ENCODING', body(gzipSync(TEXT).subarray(0, 50), 'gzip')],
  ['gone', 'UPLOAD_TRUNCATED', { stream: new PassThrough().destroy(), length: null, encoding: null }],
])('a small body is refused that is %s', async (_what, code, sent) => {
  const most = sent.encoding === 'gzip' ? 100_000 : MOST;
  await expect(receiveSmall(sent, most)).rejects.toMatchObject({ code });
});

test.each([
  ['gzip', (): Buffer => gzipSync('')],
  ['zstd', (): Buffer => zstdCompressSync('')],
  ['zstd', (): Buffer => Buffer.concat([zstdCompressSync(''), Buffer.from('502a4d1800000000', 'hex')])],
  ['xz', (): Buffer => execFileSync('xz', ['-c'], { input: '' })],
  ['bzip2', (): Buffer => execFileSync('bzip2', ['-c'], { input: '' })],
])('thousands of empty streams in one body keep nobody waiting: %s', async (encoding, empty) => {
  const stream = empty();
  const bytes = Buffer.concat(Array.from({ length: 20_000 }, () => stream));
  await expect(receiveSmall(body(bytes, encoding), bytes.length)).rejects.toMatchObject({
    code: 'UPLOAD_ENCODING',
    message: expect.stringContaining('streams in a row'),
  });
  const several = Buffer.concat(Array.from({ length: 8 }, () => stream));
  expect(await receiveSmall(body(several, encoding), 1000)).toEqual(Buffer.alloc(0));
});

test('others get their turn while a body is unpacked that gives next to nothing', async () => {
  // many blocks that hold nothing, in one frame
  const blocks = Buffer.alloc(3 * 2_000_000);
  const frame = Buffer.concat([Buffer.from('28b52ffd0048', 'hex'), blocks, Buffer.from('010000', 'hex')]);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await receiveSmall(body(frame, 'zstd'), frame.length).catch(() => undefined);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(2);
});
