import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sniffName } from '../../../src/formats/magic.ts';
import { readRdb } from '../../../src/formats/rdb/rdb.ts';
import { needs } from '../../support/programs.ts';
import { filter, sample } from '../compression/support.ts';
import { isIncomplete, readAll, texts } from '../zlib/support.ts';

const LEAK = 'X\n\0\0\0\x03 /home/alice/project';

function record(data: Uint8Array | string, type: string, packed: Uint8Array | string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(packed as string, 'latin1')]);
}

const lzma2 = (data: Uint8Array, ...options: string[]): Buffer =>
  filter(data, 'xz', '--format=raw', ...(options.length > 0 ? options : ['--lzma2=preset=6']));

describe('a database of R objects', () => {
  const plain = record(LEAK, '', deflateSync(LEAK));

  it('gives every record, at its place', async () => {
    const large = sample(2_000_000);
    const bytes = Buffer.concat([
      plain,
      record(large, '', deflateSync(large)),
      record(LEAK, '0', LEAK),
      record(LEAK, '1', deflateSync(LEAK)),
    ]);
    expect(sniffName('R/sysdata.rdb', bytes, 0, 64)).toBe('rdb');
    const read = await readAll(readRdb, bytes);
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ bytes }) => bytes.length)).toEqual([LEAK.length, large.length, LEAK.length]);
    expect(read.members[0]).toMatchObject({ name: 'zlib@4', offset: 4, bytes: Buffer.from(LEAK, 'latin1') });
  });

  it.skipIf(!needs('xz', 'bzip2'))('packed by bzip2 and by LZMA2 of any chunks', async () => {
    // Noise before text makes chunks that are stored, and one behind them that has only properties anew.
    const mixed = Buffer.concat([randomBytes(200_000), Buffer.alloc(99_000, LEAK)]);
    const parts = [Buffer.from(LEAK), mixed, sample(1_000_000), Buffer.alloc(9_000_000), sample(70_000, 8)];
    const bytes = Buffer.concat(
      parts.flatMap((data) => [
        record(data, '2', filter(data, 'bzip2')),
        record(data, 'Z', lzma2(data)),
        record(data, 'Z', lzma2(data, '--lzma2=preset=0,dict=4KiB')),
      ]),
    );
    const read = await readAll(readRdb, bytes);
    expect(isIncomplete(read)).toBe(false);
    expect(read.members.map(({ bytes }) => bytes.length)).toEqual(
      parts.flatMap(({ length }) => [length, length, length]),
    );
    expect(read.members.every(({ bytes }, k) => bytes.equals(parts[Math.floor(k / 3)]!))).toBe(true);
  });

  it.skipIf(!needs('xz', 'bzip2'))('that is cut is whole between two records only', async () => {
    const data = sample(800);
    const records = [
      plain,
      record(data, 'Z', lzma2(data)),
      record(data, '2', filter(data, 'bzip2')),
      record('ab', '0', 'ab'),
    ];
    const whole = Buffer.concat(records);
    const ends = new Set(records.map((_, k) => Buffer.concat(records.slice(0, k + 1)).length));
    for (let end = 1; end < whole.length; end += 1) {
      expect(isIncomplete(await readAll(readRdb, whole.subarray(0, end))), `cut at ${end}`).toBe(
        !ends.has(end),
      );
    }
  });

  it.each([
    ['a length that is not true', record('short', '', deflateSync(LEAK)), 'corrupt'],
    ['a type that is not known', record(LEAK, 'Q', LEAK), 'unsupported'],
    ['a chunk of no kind', record(LEAK, 'Z', '\x07aaaaaaaaaaaaa'), 'corrupt'],
    ['a damaged stream', record(LEAK, '', `x\x9c\xff\xff${LEAK}`), 'corrupt'],
  ])('%s is a fault, and what came before was read', async (_, damaged, reason) => {
    const read = await readAll(readRdb, Buffer.concat([plain, damaged, plain]));
    expect(texts(read)[0]).toBe(LEAK);
    expect(read.faults.join(' ')).toMatch(reason);
  });
});

describe.skipIf(!needs('Rscript'))('as R writes it', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rdb-'));
    const lines =
      'e <- new.env(); e$a <- strrep("/home/alice/project ", 50); e$f <- function(x) x + 1; e$n <- sqrt(1:1e5);' +
      'for (k in 1:3) tools:::makeLazyLoadDB(e, paste0("t", k), compress = k)';
    execFileSync('Rscript', ['--vanilla', '-e', lines], { cwd: folder, stdio: 'pipe' });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  for (const compress of [1, 2, 3]) {
    it(`with compress = ${compress}`, async () => {
      const bytes = readFileSync(join(folder, `t${compress}.rdb`));
      const read = await readAll(readRdb, bytes);
      expect(isIncomplete(read)).toBe(false);
      expect(read.members.length).toBe(3);
      expect(texts(read).join('')).toContain('/home/alice/project /home/alice');
      expect(bytes.includes('/home/alice/project /home/alice')).toBe(false);
    });
  }
});
