import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { NAR_SCAN } from '../support/narScan.ts';
import { narWith } from '../admission/publication/cache.ts';

const clean = narWith('clean');

/** A gzip member with this name. */
function namedGzip(name: string): Buffer {
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(clean), 0);
  end.writeUInt32LE(clean.length, 4);
  const head = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]);
  return Buffer.concat([head, Buffer.from(`${name}\0`), deflateRawSync(clean), end]);
}

function skippableFrame(content: string): Buffer {
  const head = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
}

const LEAK = '/home/noamyr/x.nar';
const STREAMS: readonly (readonly [what: string, packed: Buffer])[] = [
  ['the name that gzip keeps', namedGzip(LEAK)],
  ['a skippable frame before a zstd stream', Buffer.concat([skippableFrame(LEAK), zstdCompressSync(clean)])],
  ['a skippable frame behind a zstd stream', Buffer.concat([zstdCompressSync(clean), skippableFrame(LEAK)])],
];

function statusOf(target: string, input?: Buffer): number | null {
  const words = ['--no-ledger', '--no-host-homes', '--home', '/home/noamyr'];
  return spawnSync(NAR_SCAN, [...words, target], input === undefined ? {} : { input }).status;
}

it.each(STREAMS)('a home in %s is found beside a clean NAR, in a file and through a pipe', (_, packed) => {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-packed-'));
  try {
    const file = join(folder, 'x.nar');
    writeFileSync(file, packed);
    expect([statusOf(file), statusOf('-', packed)]).toEqual([1, 1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('what is packed and holds nothing is clean, in a file and through a pipe', () => {
  expect(statusOf('-', zstdCompressSync(clean))).toBe(0);
  expect(statusOf('-', namedGzip('x.nar'))).toBe(0);
});
