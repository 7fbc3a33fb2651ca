import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { NAR_SCAN } from '../support/narScan.ts';
import { narWith } from '../admission/publication/cache.ts';

it('a home in the name that gzip keeps beside a clean NAR is found in a file and through a pipe', () => {
  const nar = narWith('clean');
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(nar), 0);
  end.writeUInt32LE(nar.length, 4);
  const head = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]);
  const packed = Buffer.concat([head, Buffer.from('/home/noamyr/x.nar\0'), deflateRawSync(nar), end]);
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-packed-'));
  try {
    const file = join(folder, 'x.nar.gz');
    writeFileSync(file, packed);
    const words = ['--no-ledger', '--no-host-homes', '--home', '/home/noamyr'];
    const statusOf = (target: string, input: Buffer | undefined): number | null =>
      spawnSync(NAR_SCAN, [...words, target], input === undefined ? {} : { input }).status;
    expect([statusOf(file, undefined), statusOf('-', packed)]).toEqual([1, 1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
