import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readSquashfs } from '../../../src/formats/squashfs/squashfs.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { needs } from '../../support/programs.ts';
import { wholeReader } from '../../support/rangeReaders.ts';
import { filter } from '../compression/support.ts';
import { holds, isIncomplete, readImage } from './support.ts';
import { BLOCK_BYTES, writeImage, type Node } from './writer.ts';

const LEAK = 'built in /home/noamyr/src';

/** A root of so many files. */
const rootOf = (files: readonly Node[]): readonly Node[] => [
  ...files,
  { entries: files.map((_, index) => [`file${index}`, index] as const) },
];

describe('an image by hand', () => {
  it('is read as those of programs are', async () => {
    const packed = deflateSync(Buffer.from(LEAK));
    const tail = deflateSync(Buffer.from(`tail ${LEAK}`));
    const file: Node = { bytes: LEAK.length, start: 96, words: [packed.length] };
    const last: Node = { bytes: 5 + LEAK.length, tail: [0, 0] };
    const read = await readImage(writeImage(rootOf([file, last]), { data: packed, tails: [tail] }));
    expect(read.faults).toEqual([]);
    expect(
      read.members.filter(({ section }) => section !== true).map(({ bytes }) => bytes?.toString()),
    ).toEqual([LEAK, `tail ${LEAK}`]);
  });

  it('of a block that holds more or less than its file has is a fault of the file', async () => {
    for (const bytes of [LEAK.length - 1, LEAK.length + 1]) {
      const packed = deflateSync(Buffer.from(LEAK));
      const read = await readImage(
        writeImage(rootOf([{ bytes, start: 96, words: [packed.length] }]), { data: packed }),
      );
      expect([read.members[0]?.code, holds(read, LEAK)]).toEqual(['CONTAINER_CORRUPT', true]);
    }
  });

  it.each<[what: string, file: Node, fault: RegExp]>([
    ['blocks that lie among its tables', { bytes: 8, start: 130, words: [0x100_0000 + 8] }, /CORRUPT/],
    ['blocks that lie outside', { bytes: 8, start: 1e9, words: [0x100_0000 + 8] }, /CORRUPT/],
    ['a tail that its block does not have', { bytes: 8, tail: [0, 9] }, /CORRUPT/],
    ['a tail in a block that there is not', { bytes: 8, tail: [7, 0] }, /CORRUPT/],
  ])('with %s has a fault there', async (_, file, fault) => {
    const tails = [deflateSync(Buffer.from('a tail'.repeat(2)))];
    const { members } = await readImage(writeImage(rootOf([file]), { data: Buffer.from('data'), tails }));
    expect(members.find(({ name }) => name === 'file0')?.code).toMatch(fault);
  });

  it('has no inodes where no block of their table begins', async () => {
    const image = writeImage(rootOf(Array.from({ length: 400 }, () => ({ bytes: 0 }))));
    image.writeBigUInt64LE(5n << 16n, 32);
    expect((await readImage(image)).faults.join('\n')).toMatch(/no block of the inode table begins here/);
  });

  it('tells of tables that nothing here needs, too, that they cannot be read', async () => {
    const image = writeImage(rootOf([]));
    const owners = image.length - 14;
    image.writeUInt16LE(4, owners); // four bytes, packed
    const { members } = await readImage(image);
    expect(members.find(({ name }) => name === 'id table')?.code).toMatch(/^COMPRESSION_/);
    image.writeUInt16LE(0x8000, owners); // none
    expect((await readImage(image)).faults.join('\n')).toMatch(/no block of the id table begins here/);
  });

  it.each([
    ['bytes behind the end of a packed block', Buffer.concat([deflateSync(LEAK), Buffer.from(LEAK)])],
    [
      'a packed block that expands beyond what one may hold',
      deflateSync(Buffer.alloc(BLOCK_BYTES + 1, LEAK)),
    ],
  ])('with %s is never whole', async (_, data) => {
    const file: Node = { bytes: LEAK.length, start: 96, words: [data.length] };
    expect(isIncomplete(await readImage(writeImage(rootOf([file]), { data })))).toBe(true);
  });

  it.skipIf(!needs('xz'))(
    'of a block that needs a dictionary as none of a program does is a gap',
    async () => {
      for (const [dictionary, code] of [
        ['1MiB', null],
        ['64MiB', 'COMPRESSION_MEMORY'],
      ] as const) {
        const data = filter(Buffer.from(LEAK), 'xz', '-c', `--lzma2=dict=${dictionary}`);
        const image = writeImage(rootOf([{ bytes: LEAK.length, start: 96, words: [data.length] }]), { data });
        image.writeUInt16LE(4, 20);
        expect((await readImage(image)).members[0]).toMatchObject({ name: 'file0', code });
      }
    },
  );

  it('of directories in one another is left', async () => {
    const inner: Node = { entries: [['out', 1]] };
    const outer: Node = {
      entries: [
        ['in', 0],
        ['again', 0],
        ['itself', 1],
      ],
    };
    const read = await readImage(writeImage([inner, outer]));
    expect(read.faults).toEqual(Array(3).fill(expect.stringMatching(/stands in two places/)));
  });

  it('of paths that are too long tells so, and all contents are read', async () => {
    const depth = LIMITS.archiveNameBytes;
    const nodes: Node[] = [{ bytes: LEAK.length, start: 96, words: [0x100_0000 + LEAK.length] }];
    for (let level = 0; level < depth; level += 1) nodes.push({ entries: [['d', level]] });
    const read = await readImage(writeImage(nodes, { data: Buffer.from(LEAK) }));
    expect(read.faults).toEqual([expect.stringMatching(/^limit-size: a path of \d+ bytes/)]);
    expect(holds(read, LEAK)).toBe(true);
  });

  it('of inodes that take one another for lists of blocks comes to an end', { timeout: 60_000 }, async () => {
    // each says that all those behind it are lengths of its own blocks
    const count = 20_000;
    const bytes = (index: number): number => Math.min(4000, 8 * (count - index)) * BLOCK_BYTES;
    const files = Array.from({ length: count }, (_, index): Node => ({ bytes: bytes(index) }));
    const faults: string[] = [];
    for await (const item of readSquashfs(wholeReader(writeImage(rootOf(files))), () => undefined)) {
      if (item.item === 'fault') faults.push(item.detail);
    }
    expect(faults.join('\n')).toMatch(/the inode table is too short for what its inodes list/);
  });

  it(
    'whose files lie in many blocks of tails in turns is decoded again within bounds',
    { timeout: 60_000 },
    async () => {
      const blocks = 2 * (LIMITS.squashfsTailsBytes / BLOCK_BYTES);
      const count = LIMITS.squashfsAgainBytes / BLOCK_BYTES + 2 * blocks;
      const tails = Array<Buffer>(blocks).fill(deflateSync(Buffer.alloc(BLOCK_BYTES, 'a')));
      const files = Array.from({ length: count }, (_, index): Node => ({
        bytes: 9,
        tail: [index % blocks, 1],
      }));
      const { members } = await readImage(writeImage(rootOf(files), { tails }));
      const codes = members.filter(({ name }) => name.startsWith('file')).map(({ code }) => code);
      const within = codes.slice(0, LIMITS.squashfsAgainBytes / BLOCK_BYTES);
      expect(within.every((code) => code === null)).toBe(true);
      expect(codes.slice(within.length)).toContain('CONTAINER_LIMIT');
    },
  );
});
