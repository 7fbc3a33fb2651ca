import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../support/programs.ts';
import { sample } from '../compression/support.ts';
import { files, holds, isIncomplete, pack, packFolder, readImage, type Tree } from './support.ts';

const LEAK = 'built in /home/noamyr/src';

const noise = (bytes: number): Buffer => {
  const words = new Uint32Array(bytes / 4);
  for (let index = 0, word = 7; index < words.length; index += 1) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = word ^ (word >>> 13);
  }
  return Buffer.from(words.buffer);
};

const many = Object.fromEntries(
  Array.from({ length: 700 }, (_, at) => [
    `many/${'a-rather-long-name-of-a-file'.repeat(3)}${at}`,
    `file ${at}\n`,
  ]),
);
const TREE: Tree = {
  'text/leak.txt': LEAK,
  'text/other-name.txt': '= text/leak.txt',
  'text/empty': '',
  'text/link': '-> ../../home/noamyr/x',
  'long/text': sample(1_200_000),
  'long/noise': noise(300_000),
  'long/mixed': Buffer.concat([noise(200_000), sample(400_000, 2), Buffer.alloc(300_000), noise(5000)]),
  'long/whole-blocks': sample(1024 * 1024, 3),
  [`${'deep/'.repeat(60)}file`]: 'deep',
  ...many,
};

/** What a reader must give: every content at one of its paths, with nothing wrong. */
async function expectAll(image: Buffer, tree: Tree): Promise<void> {
  const read = await readImage(image);
  expect(read.faults).toEqual([]);
  expect(read.members.filter(({ code }) => code !== null)).toEqual([]);
  expect(read.end).toBe(image.length);
  const got = files(read);
  const names = new Set(read.members.map(({ name }) => name));
  for (const [path, content] of Object.entries(tree)) {
    expect(names.has(path), path).toBe(true);
    const isLink = typeof content === 'string' && /^(?:->|=) /.test(content);
    if (isLink || content.length === 0) continue;
    expect(got[path]?.equals(Buffer.from(content as string)), path).toBe(true);
  }
  const links = read.members.filter(({ type }) => type === 'symlink');
  expect(links.map(({ name, target }) => `${name} -> ${target}`)).toEqual([
    'text/link -> ../../home/noamyr/x',
  ]);
}

describe.skipIf(!needs('mksquashfs'))('an image by mksquashfs', () => {
  for (const compressor of ['gzip', 'lzma', 'xz', 'lz4', 'zstd']) {
    it.each(compressor === 'gzip' ? ['4K', '128K', '1M'] : ['4K', '1M'])(
      `packed by ${compressor} in blocks of %s is read in full`,
      async (size) => {
        await expectAll(pack(TREE, '-comp', compressor, '-b', size), TREE);
      },
    );
  }

  it.each([
    ['nothing packed', ['-noI', '-noD', '-noF', '-noX']],
    ['no tails', ['-no-fragments', '-no-exports', '-no-xattrs']],
    ['the tails of all files', ['-always-use-fragments']],
    ['contents twice', ['-no-duplicates', '-no-hardlinks']],
    ['filters of xz', ['-comp', 'xz', '-Xbcj', 'x86', '-Xdict-size', '75%']],
    [
      'strategies of gzip',
      ['-Xcompression-level', '3', '-Xstrategy', 'huffman_only,fixed', '-Xwindow-size', '9'],
    ],
    ['lz4 of high compression', ['-comp', 'lz4', '-Xhc']],
  ])('with %s is read in full', async (_, options) => {
    await expectAll(pack(TREE, ...options), TREE);
  });

  it('that is empty holds nothing', async () => {
    const read = await readImage(pack({}));
    expect([read.faults, read.end, read.members.filter(({ section }) => section !== true)]).toEqual([
      [],
      4096,
      [],
    ]);
  });

  it('gives the names by which a long listing is entered in its middle', async () => {
    const { members } = await readImage(pack(many));
    const [directory] = members.filter(({ type }) => type === 'directory');
    expect(directory?.bytes?.toString()).toMatch(/^(?:a-rather-long-name-of-a-file){3}[0-9]+a-rather/);
  });

  it('gives a content with several names once', async () => {
    const read = await readImage(pack(TREE));
    const both = read.members.filter(
      ({ name }) => name.startsWith('text/leak') || name.startsWith('text/other'),
    );
    expect(both.map(({ bytes }) => bytes?.toString() ?? null)).toEqual([LEAK, null]);
  });

  it('says of contents that lie in it as they are where that is', async () => {
    const image = pack(TREE, '-noD', '-noF');
    const { members } = await readImage(image);
    const stored = members.filter(({ stored }) => stored);
    expect(stored.length).toBeGreaterThan(700);
    for (const { bytes, offset } of stored) {
      expect(image.subarray(offset!, offset! + bytes!.length).equals(bytes!)).toBe(true);
    }
  });

  it('of another version or another packer is said not to be opened', async () => {
    const image = pack({ a: LEAK }, '-comp', 'lzo');
    expect((await readImage(image)).faults).toEqual([
      'unsupported: a squashfs image packed by lzo cannot be opened',
    ]);
    image.writeUInt16LE(3, 28);
    expect((await readImage(image)).faults[0]).toMatch(/^unsupported: .* version 3\.0/);
    image.write('sqsh', 'latin1');
    expect((await readImage(image)).faults[0]).toMatch(/^unsupported: .* big-endian/);
  });

  it('that was appended to is read as it is now', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'squashfs-'));
    try {
      for (const part of ['one', 'two']) {
        mkdirSync(join(folder, part));
        writeFileSync(join(folder, part, part), `${part} ${LEAK}`.repeat(part === 'one' ? 1 : 30_000));
        const options = [join(folder, part), join(folder, 'image'), '-quiet', '-no-progress'];
        execFileSync('mksquashfs', options, { stdio: 'pipe' });
      }
      const read = await readImage(Buffer.from(execFileSync('cat', [join(folder, 'image')])));
      expect(read.faults).toEqual([]);
      expect(Object.keys(files(read))).toEqual(['one', 'two']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(!needs('mksquashfs', 'python3', 'mkfifo'))('what files are not', () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'squashfs-root-'));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('holes are zeros, pipes are names, attributes are bytes', async () => {
    writeFileSync(join(root, 'holes'), '');
    truncateSync(join(root, 'holes'), 3_000_000);
    writeFileSync(join(root, 'holes'), LEAK, { flag: 'a' });
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const attributes =
      "import os,sys; os.setxattr(sys.argv[1], 'user.origin', b'/home/noamyr/' + b'x' * 3000)";
    let set = true;
    try {
      execFileSync('python3', ['-c', attributes, join(root, 'holes')], { stdio: 'pipe' });
    } catch {
      set = false; // not every file system of a machine has attributes
    }
    const read = await readImage(packFolder(root));
    expect(read.faults).toEqual([]);
    const holes = files(read)['holes']!;
    expect([holes.length, holes.subarray(0, 3_000_000).every((byte) => byte === 0)]).toEqual([
      3_000_000 + LEAK.length,
      true,
    ]);
    expect(holes.subarray(3_000_000).toString()).toBe(LEAK);
    expect(read.members.find(({ name }) => name === 'pipe')).toMatchObject({ type: 'special', bytes: null });
    if (set) expect(holds(read, `/home/noamyr/${'x'.repeat(3000)}`)).toBe(true);
    expect(isIncomplete(read)).toBe(false);
  });
});
