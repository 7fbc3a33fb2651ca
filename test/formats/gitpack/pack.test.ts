import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGitPack } from '../../../src/formats/gitpack/pack.ts';
import { readGitObject } from '../../../src/formats/zlib/single.ts';
import { wholeReader } from '../../support/rangeReaders.ts';
import { needs } from '../../support/programs.ts';
import { sample } from '../compression/support.ts';
import { isIncomplete, readAll, texts } from '../zlib/support.ts';

const LEAK = 'built in /home/alice/src';

/** A pack of whole blobs, by hand. */
function pack(contents: readonly Uint8Array[], { version = 2, count = contents.length } = {}): Buffer {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(version, 4);
  head.writeUInt32BE(count, 8);
  const objects = contents.map((bytes) => {
    const header = [0x30 | (bytes.length & 15)];
    for (let left = bytes.length >> 4; left > 0; left >>= 7) {
      header[header.length - 1]! |= 0x80;
      header.push(left & 0x7f);
    }
    return Buffer.concat([Buffer.from(header), deflateSync(bytes)]);
  });
  return Buffer.concat([head, ...objects, Buffer.alloc(20, 0xee)]);
}

describe('a git pack', () => {
  it('gives every object, at its place', async () => {
    const contents = [Buffer.from(LEAK), Buffer.alloc(0), sample(2_000_000), sample(90_000, 4)];
    const bytes = pack(contents);
    const read = await readAll(readGitPack, bytes);
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ bytes }) => bytes.equals(contents.shift()!))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(read.members[0]).toMatchObject({ name: 'zlib@14', offset: 14 });
  });

  it('goes on to the next object where one was not read, or only its beginning', async () => {
    const bytes = pack([sample(900_000), sample(3_000_000, 9), Buffer.from(LEAK)]);
    let last = '';
    for await (const item of readGitPack(wholeReader(bytes), () => undefined)) {
      if (item.item !== 'member' || item.contents === null) throw new Error('a fault');
      if (item.offset === 15) continue;
      for await (const chunk of item.contents) {
        last = Buffer.from(chunk).toString('latin1');
        break;
      }
    }
    expect(last).toBe(LEAK);
  });

  it('does not decode a bomb that nobody wants to its end', async () => {
    const bytes = pack([Buffer.alloc(80 * 1024 * 1024), Buffer.from(LEAK)]);
    const items: string[] = [];
    for await (const item of readGitPack(wholeReader(bytes), () => undefined)) {
      items.push(item.item === 'fault' ? item.reason : item.name);
    }
    expect(items[1]).toBe('limit-size');
  });

  it('that is cut is never whole', async () => {
    const whole = pack([Buffer.from(LEAK), sample(600, 2)]);
    for (let end = 0; end < whole.length; end += 1) {
      expect(isIncomplete(await readAll(readGitPack, whole.subarray(0, end))), `cut at ${end}`).toBe(true);
    }
  });

  it.each([
    ['more objects than there are', pack([Buffer.from(LEAK)], { count: 2 }), /corrupt|truncated/],
    ['fewer objects than there are', pack([Buffer.from('a'), Buffer.from(LEAK)], { count: 1 }), /corrupt/],
    ['a size that is not true', pack([Buffer.from('abc')]).fill(0x34, 12, 13), /corrupt@12/],
    ['a checksum that is cut', pack([Buffer.from(LEAK)]).subarray(0, -1), /truncated/],
    ['an object of no type', pack([Buffer.from(LEAK)]).fill(0x58, 12, 13), /corrupt/],
    ['a header without end', pack([Buffer.from(LEAK)]).fill(0xff, 12, 60), /corrupt/],
  ])('%s', async (_, bytes, fault) => {
    expect((await readAll(readGitPack, bytes)).faults.join(' ')).toMatch(fault);
  });
});

describe.skipIf(!needs('git'))('by git itself', () => {
  let folder = '';
  const git = (format: string, ...args: string[]): string =>
    execFileSync('git', ['-C', join(folder, format), ...args], { encoding: 'latin1', stdio: 'pipe' });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gitpack-'));
    for (const format of ['sha1', 'sha256']) {
      mkdirSync(join(folder, format));
      git(format, 'init', '-q', `--object-format=${format}`);
      for (const [key, value] of [
        ['user.name', 'a'],
        ['user.email', 'a@b'],
        ['gc.auto', '0'],
      ] as const) {
        git(format, 'config', key, value);
      }
      for (let turn = 0; turn < 4; turn += 1) {
        writeFileSync(
          join(folder, format, 'a.txt'),
          `${'line\n'.repeat(500)}${LEAK}${turn}\n${sample(2000).toString('hex')}`,
        );
        git(format, 'add', '.');
        git(format, 'commit', '-qm', `turn ${turn}`);
      }
    }
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const files = (format: string, below: string): Buffer[] =>
    readdirSync(join(folder, format, '.git/objects', below), { recursive: true, encoding: 'latin1' })
      .filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{38,}$|\.pack$/.test(name))
      .map((name) => readFileSync(join(folder, format, '.git/objects', below, name)));

  it('loose objects', async () => {
    const all = await Promise.all(files('sha1', '').map(async (bytes) => readAll(readGitObject, bytes)));
    expect(all.length).toBe(12);
    expect(all.some(isIncomplete)).toBe(false);
    const text = all.flatMap(texts).join('');
    // contents alone: of a tree, of a commit, of a file
    for (const part of ['100644 a.txt', 'author ', `${LEAK}3`]) expect(text).toContain(part);
    expect(text).not.toMatch(/(?:blob|tree|commit) [0-9]+\0/);
  });

  for (const format of ['sha1', 'sha256']) {
    it(`packs of ${format}, with deltas by offset and by hash`, async () => {
      for (const option of ['--delta-base-offset', '']) {
        const line = `git rev-list --objects --all | git pack-objects --stdout -q ${option}`;
        const bytes = execFileSync('sh', ['-c', line], { cwd: join(folder, format) });
        const read = await readAll(readGitPack, bytes);
        expect(read.faults).toEqual([]);
        expect(read.members.length).toBe(12);
        expect(texts(read).some((text) => text.includes(LEAK))).toBe(true);
      }
    });
  }
});
