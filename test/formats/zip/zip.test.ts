import fc from 'fast-check';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readZip, zipBase } from '../../../src/formats/zip/zip.ts';
import { wholeReader } from '../../support/rangeReaders.ts';
import { writeZip } from '../../support/zipWriter.ts';
import type { ZipMember, ZipShape } from '../../support/zipWriter.ts';
import { contentsOf, readAll } from './support.ts';

const LEAK = 'see /home/alice/src/x.c for more\n';
const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const soundMember: fc.Arbitrary<ZipMember> = fc.record(
  {
    name: fc.stringMatching(/^[a-z\\/é]{1,12}$/).filter((name) => !name.endsWith('/')),
    content: fc.uint8Array({ maxLength: 300 }),
    method: fc.constantFrom(0, 8),
    descriptor: fc.constantFrom('signed', 'plain', 'signed64', 'plain64'),
    before: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(50), Buffer.from('padding')),
  },
  { requiredKeys: ['name', 'content', 'method'] },
);

const soundShape: fc.Arbitrary<ZipShape> = fc.record({
  prefix: fc.constantFrom(Buffer.alloc(0), Buffer.from('#!/bin/sh\nexec unzip "$0"\n')),
  relative: fc.boolean(),
  wide: fc.boolean(),
  comment: fc.uint8Array({ maxLength: 40 }),
  beforeDirectory: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(70)),
});

describe('a sound archive', () => {
  test('gives its members and no fault, whatever its shape', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(soundMember, { maxLength: 6 }), soundShape, async (members, shape) => {
        const read = await readAll(writeZip(members, shape));
        expect(read.faults).toEqual([]);
        expect(read.members.map(({ error }) => error)).toEqual(members.map(() => null));
        expect(contentsOf(read)).toEqual(
          members.map(({ name, content }) => [name, Buffer.from(content ?? '').toString('latin1')]),
        );
      }),
    );
  });

  test('comes in the order of its central directory', async () => {
    const members = ['a', 'b', 'c', 'd'].map((name) => ({ name, content: name.repeat(99) }));
    const read = await readAll(writeZip(members, { order: [2, 0, 3, 1] }));
    expect(read.faults).toEqual([]);
    expect(contentsOf(read).map(([name]) => name)).toEqual(['c', 'a', 'd', 'b']);
  });

  test('says where the bytes of a member stand, and whether they stand there as they are', async () => {
    const bytes = writeZip([
      { name: 'plain', method: 0, content: LEAK },
      { name: 'packed', content: LEAK },
    ]);
    const [plain, packed] = (await readAll(bytes)).members;
    expect(plain).toMatchObject({ stored: true, offset: Buffer.from(bytes).indexOf(LEAK) });
    expect(packed).toMatchObject({ stored: false });
  });

  test('without members is empty', async () => {
    expect(await readAll(writeZip([]))).toEqual({ members: [], faults: [] });
    expect(await readAll(writeZip([], { wide: true, comment: latin('none') }))).toEqual({
      members: [],
      faults: [],
    });
  });

  test('has directories and symbolic links', async () => {
    const long = 'x'.repeat(4096);
    const read = await readAll(
      writeZip([
        { name: 'home/', method: 0 },
        { name: 'home/alice/', packed: Buffer.from([3, 0]) },
        { name: 'link', mode: 0o120777, content: '/home/alice/x' },
        { name: 'long', mode: 0o120777, content: long },
        { name: 'odd/', content: LEAK },
      ]),
    );
    expect(read.members.map(({ type, target, content }) => [type, target, content])).toEqual([
      ['directory', '', null],
      ['directory', '', null],
      ['symlink', '/home/alice/x', '/home/alice/x'],
      ['file', '', long],
      ['file', '', LEAK],
    ]);
    expect(read.faults).toEqual(['corrupt: longer than any link target']);
  });

  test('keeps names as the bytes they are', async () => {
    const read = await readAll(writeZip([{ name: '\xff\\a\xe9', content: 'x' }]));
    expect(contentsOf(read)).toEqual([['\xff\\a\xe9', 'x']]);
  });

  test('may hold large members, in a stream', async () => {
    const content = Buffer.alloc(3_000_000, LEAK);
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, k) => (k * k * 2_654_435_761) >>> 24));
    const read = await readAll(
      writeZip([
        { name: 'zeros', content },
        { name: 'noise', content: noise },
        { name: 'stored', method: 0, content },
      ]),
    );
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ content: got, error }) => [got?.length, error])).toEqual([
      [3_000_000, null],
      [200_000, null],
      [3_000_000, null],
    ]);
  });

  test('may be packed with zstd', async () => {
    const member = { name: 'z', method: 93, content: LEAK, packed: zstdCompressSync(LEAK) };
    expect(contentsOf(await readAll(writeZip([member])))).toEqual([['z', LEAK]]);
  });

  test('may fill gaps with headers of nothing, and start with a marker', async () => {
    const filler = writeZip([{ name: '', method: 0 }]).slice(0, 30);
    const read = await readAll(
      writeZip(
        [
          { name: 'a', content: LEAK },
          { name: 'b', content: LEAK, before: filler },
        ],
        { prefix: latin('PK\x07\x08') },
      ),
    );
    expect(read.faults).toEqual([]);
    expect(read.members.length).toBe(2);
  });

  test('may hold an archive, whose end record is not its own', async () => {
    const inner = writeZip([{ name: 'inner', content: LEAK }]);
    const read = await readAll(writeZip([{ name: 'x.jar', method: 0, content: inner }]));
    expect(read.faults).toEqual([]);
    expect(contentsOf(read)).toEqual([['x.jar', Buffer.from(inner).toString('latin1')]]);
  });

  test('is left when its reader has had enough', async () => {
    const members = ['a', 'b'].map((name) => ({ name, content: Buffer.alloc(3_000_000) }));
    for await (const item of readZip(wholeReader(writeZip(members)))) {
      if (item.item === 'member') for await (const chunk of item.contents ?? []) if (chunk.length > 0) break;
    }
  });
});

describe('zipBase', () => {
  const members = [{ name: 'a', content: LEAK }];

  test.each([
    ['offsets of the file', false],
    ['offsets of the archive', true],
  ])('finds what offsets count from: %s', (_, relative) => {
    const prefix = latin('#!/bin/sh\n'.repeat(10));
    expect(zipBase(wholeReader(writeZip(members, { prefix, relative })))).toBe(relative ? 100 : 0);
  });

  test('is null where there is none', () => {
    expect(zipBase(wholeReader(latin('PK, as in packed')))).toBe(null);
    expect(zipBase(wholeReader(new Uint8Array(0)))).toBe(null);
    const bare = writeZip(members);
    bare.fill(0, 0, 4);
    expect(zipBase(wholeReader(bare))).toBe(null);
  });
});

describe('what only looks like an archive', () => {
  test.each([
    '',
    'PK',
    'PK\x03\x04',
    'PK\x03\x04 is how a zip begins, and this is text about it',
    'PK\x05\x06',
  ])('is none: %j', async (text) => {
    expect(await readAll(latin(text))).toEqual({ members: [], faults: [] });
  });

  test('any bytes are read without an error', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom('PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', 'PK\x07\x08')
        .map(latin),
      fc.constant(Buffer.alloc(12)),
      fc.constant(Buffer.alloc(8, 0xff)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        await readAll(Buffer.concat(pieces));
      }),
    );
  });
});
