import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Member } from '../../../src/formats/container.ts';
import { readTar } from '../../../src/formats/tar/tar.ts';
import { chunksOf, readAll } from '../../support/containerItems.ts';
import { reusedChunks } from '../compression/support.ts';
import { archive, END, entry, filled, GNU, header, long, pax, USTAR, V7 } from './writer.ts';

/** What tests of contents look at. */
async function listing(bytes: Uint8Array): Promise<unknown> {
  const { members, faults, code, end } = await readAll(readTar, [bytes]);
  return {
    members: members.map(({ name, type, target, bytes: read }) => [
      name,
      type,
      target,
      read?.toString() ?? null,
    ]),
    faults,
    code,
    end,
  };
}

const CLEAN = (end: number): unknown => ({ faults: [], code: null, end });

describe('members of a tar archive', () => {
  const AFTER = entry({ name: 'after' }, 'still in step');

  it('have name, type, target, contents and their place', async () => {
    const bytes = archive(
      entry({ name: 'dir/', flag: '5' }),
      entry({ name: 'dir/file', flag: '\0' }, 'contents'),
      entry({ name: 'dir/link', flag: '2', target: '/home/alice/x' }),
      entry({ name: 'dir/twin', flag: '1', target: 'dir/file' }),
      entry({ name: 'dir/pipe', flag: '6' }),
      entry({ name: 'dir/run', flag: '7' }, 'in one run'),
    );
    const read = await readAll(readTar, [bytes]);
    expect(read).toMatchObject(CLEAN(bytes.length) as object);
    expect(read.members.map(({ name, type, target }) => [name, type, target])).toEqual([
      ['dir/', 'directory', ''],
      ['dir/file', 'file', ''],
      ['dir/link', 'symlink', '/home/alice/x'],
      ['dir/twin', 'hardlink', 'dir/file'],
      ['dir/pipe', 'special', ''],
      ['dir/run', 'file', ''],
    ]);
    const file = read.members[1]!;
    expect(file).toMatchObject({ offset: 1024, stored: true, bytes: Buffer.from('contents') });
    expect(bytes.subarray(1024, 1032).toString()).toBe('contents');
  });

  it.each([
    ['ustar with a prefix', entry({ name: 'b', prefix: 'home/alice' }), 'home/alice/b'],
    ['GNU, whose header has other things there', entry({ name: 'b', magic: GNU, raw: { 345: '123' } }), 'b'],
    ['V7', entry({ name: 'b', magic: V7 }), 'b'],
    ['a name of all 100 bytes', entry({ name: 'n'.repeat(100) }), 'n'.repeat(100)],
    ['PAX', archiveOf(pax({ path: 'home/alice/é' }), entry({ name: 'cut' })), 'home/alice/é'],
    ['PAX, bytes that are no UTF-8', archiveOf(pax({ path: 'caf\xe9' }), entry({ name: 'cut' })), 'caf\xe9'],
    ['PAX, as Solaris marks it', archiveOf(pax({ path: 'p' }, 'X'), entry({ name: 'cut' })), 'p'],
    ['PAX with an empty value', archiveOf(pax({ path: '' }), entry({ name: 'own' })), 'own'],
    ['a GNU long name', archiveOf(long('L', 'l'.repeat(700)), entry({ name: 'cut' })), 'l'.repeat(700)],
    ['climbs, which are legal', entry({ name: '../../x' }), '../../x'],
    [
      'a sparse file of any PAX kind',
      archiveOf(pax({ 'GNU.sparse.name': 'real', path: './GNUSparseFile.1/real' }), entry({ name: 'cut' })),
      'real',
    ],
  ])('are named by %s', async (_, bytes, name) => {
    expect(await listing(archive(bytes, AFTER))).toEqual({
      members: [
        [name, 'file', '', null],
        ['after', 'file', '', 'still in step'],
      ],
      faults: [],
      code: null,
      end: bytes.length + AFTER.length + END.length,
    });
  });

  it.each([
    ['PAX', pax({ linkpath: '/home/alice/é' }), '/home/alice/é'],
    ['GNU', long('K', `/${'l'.repeat(300)}`), `/${'l'.repeat(300)}`],
  ])('lead where %s says', async (_, before, target) => {
    const { members, faults } = await readAll(readTar, [
      archive(before, entry({ name: 'link', flag: '2', target: 'cut' }), AFTER),
    ]);
    expect(members.map((member) => [member.name, member.target])).toEqual([
      ['link', target],
      ['after', ''],
    ]);
    expect(faults).toEqual([]);
  });

  it.each([
    ['octal with spaces', { sizeField: '       5   \0' }],
    ['twelve digits', { sizeField: '000000000005' }],
    ['base 256', { sizeField: `\x80${'\0'.repeat(10)}\x05` }],
  ])('are as long as %s says', async (_, field) => {
    const bytes = archive(header({ name: 'a', ...field }), filled('12345'), AFTER);
    expect(await listing(bytes)).toMatchObject({
      members: [
        ['a', 'file', '', '12345'],
        ['after', 'file', '', 'still in step'],
      ],
      ...(CLEAN(bytes.length) as object),
    });
  });

  it('are as long as PAX says where the field is empty', async () => {
    const bytes = archive(pax({ size: '600' }), header({ name: 'a' }), filled('x'.repeat(600)), AFTER);
    expect(await listing(bytes)).toMatchObject({
      members: [
        ['a', 'file', '', 'x'.repeat(600)],
        ['after', 'file', '', 'still in step'],
      ],
      ...(CLEAN(bytes.length) as object),
    });
  });

  it('of flags that nobody knows are files, and dumped directories keep their lists', async () => {
    const bytes = archive(
      entry({ name: 'q', flag: 'Q' }, 'x'),
      entry({ name: 'd/', flag: 'D' }, 'Yname\0\0'),
    );
    expect(await listing(bytes)).toMatchObject({
      members: [
        ['q', 'file', '', 'x'],
        ['d/', 'directory', '', 'Yname\0\0'],
      ],
      ...(CLEAN(bytes.length) as object),
    });
  });

  it("of GNU's old sparse format come with all records of their map, and keep the step", async () => {
    const map = (more: boolean): Buffer => {
      const record = Buffer.alloc(512, '00000000000\0');
      record[504] = more ? 1 : 0;
      return record;
    };
    const first = header({ name: 'holes', flag: 'S', size: 3, magic: GNU, raw: { 482: '\x01' } });
    const bytes = archive(first, map(true), map(true), map(false), filled('abc'), AFTER);
    expect(await listing(bytes)).toMatchObject({
      members: [
        ['holes', 'file', '', 'abc'],
        ['after', 'file', '', 'still in step'],
      ],
      ...(CLEAN(bytes.length) as object),
    });
  });

  it("of GNU's sparse format 1.0 begin behind the map of holes", async () => {
    const numbers = ['130', ...Array.from({ length: 260 }, (_, k) => String(k * 4096))];
    const map = filled(`${numbers.join('\n')}\n`);
    const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'holes' };
    const before = pax(records);
    const bytes = archive(before, entry({ name: 'cut' }, Buffer.concat([map, Buffer.from('data')])), AFTER);
    const { members, faults } = await readAll(readTar, [bytes]);
    expect(map.length).toBeGreaterThan(1024);
    expect(faults).toEqual([]);
    expect(members[0]).toMatchObject({
      name: 'holes',
      offset: before.length + 512 + map.length,
      bytes: Buffer.from('data'),
    });
    expect(members[1]).toMatchObject({ name: 'after' });
  });
});

function archiveOf(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

describe('the end of a tar archive', () => {
  const one = entry({ name: 'a' }, 'x');

  it.each([
    ['two records of zeros', archiveOf(one, END), 0],
    ['a whole block of zeros', archiveOf(one, Buffer.alloc(10_240)), 0],
    ['one record of zeros', archiveOf(one, Buffer.alloc(512)), 0],
    ['no record of zeros', one, 0],
    ['zeros that are no whole record', archiveOf(one, Buffer.alloc(600)), 0],
    ['something else behind the zeros', archiveOf(one, END, Buffer.from('tail')), 4],
    ['another archive behind the zeros', archiveOf(one, END, one), 1024],
    ['another archive behind one record of zeros', archiveOf(one, Buffer.alloc(512), one), 1024],
  ])('is told: %s', async (_, bytes, left) => {
    const { members, faults, code, end } = await readAll(readTar, [bytes]);
    expect({ names: members.map(({ name }) => name), faults, code, end }).toEqual({
      names: ['a'],
      faults: [],
      code: null,
      end: bytes.length - left,
    });
  });

  it('is early wherever the archive is cut, but between members', async () => {
    const parts = [one, pax({ path: 'p' }), entry({ name: 'b' }, 'y'.repeat(600)), long('L', 'l'), one];
    const bytes = archiveOf(...parts);
    const starts = [0, 1024, 1024 + 1024 + 1536];
    for (let length = 1; length < bytes.length; length += 7) {
      const { code, end, faults } = await readAll(readTar, [bytes.subarray(0, length)]);
      expect([length, code, end, faults]).toEqual([length, 'CONTAINER_TRUNCATED', null, []]);
    }
    for (const length of starts) {
      const { code, end } = await readAll(readTar, [bytes.subarray(0, length)]);
      expect([code, end]).toEqual([null, length]);
    }
  });
});

describe('a tar archive that is damaged or made to mislead', () => {
  const AFTER = entry({ name: 'after' });

  it.each<[string, Buffer, string]>([
    ['two PAX headers', archiveOf(pax({ path: 'a' }), pax({ path: 'b' }), AFTER), 'two extended headers'],
    ['two long names', archiveOf(long('L', 'a'), long('L', 'b'), AFTER), 'two extended headers'],
    ['PAX against GNU', archiveOf(pax({ path: 'a' }), long('L', 'b'), AFTER), 'in two ways'],
    ['PAX for all names one', archiveOf(pax({ path: 'a' }, 'g'), AFTER), 'for all speaks of one'],
    ['NUL in a PAX path', archiveOf(pax({ path: 'a\0b' }), AFTER), 'NUL in the PAX record path'],
    [
      'a PAX record of length 0',
      archiveOf(entry({ name: 'x', flag: 'x' }, '0 path=a\n'), AFTER),
      'length says',
    ],
    [
      'a PAX record too long',
      archiveOf(entry({ name: 'x', flag: 'x' }, '99 path=a\n'), AFTER),
      'length says',
    ],
    ['a PAX record without =', archiveOf(entry({ name: 'x', flag: 'x' }, '7 path\n'), AFTER), 'length says'],
    ['a PAX header of zeros', archiveOf(entry({ name: 'x', flag: 'x' }, '\0\0\0'), AFTER), 'length says'],
    ['a PAX size of letters', archiveOf(pax({ size: 'abc' }), AFTER), 'the PAX size is no number'],
    ['a negative PAX size', archiveOf(pax({ size: '-1' }), AFTER), 'the PAX size is no number'],
    [
      'a PAX size against the field',
      archiveOf(pax({ size: '3' }), header({ name: 'a', size: 700 }), filled('abc'), AFTER),
      'the PAX size and the size field disagree',
    ],
    [
      'a size behind a size',
      archiveOf(header({ name: 'a', sizeField: '0000000001 7' }), filled('x'), AFTER),
      'the size field can be read in two ways',
    ],
    [
      'a size that fills its first byte',
      archiveOf(header({ name: 'a', sizeField: `\xbf${'\0'.repeat(11)}` })),
      'the size field can be read in two ways',
    ],
    [
      'a link of some size',
      archiveOf(header({ name: 'l', flag: '2', size: 512 }), AFTER),
      'no contents can be',
    ],
    [
      'a directory of some size with contents',
      archiveOf(entry({ name: 'd/', flag: '5' }, 'hidden'), AFTER),
      'no contents can be',
    ],
    [
      'a sparse file without its map',
      archiveOf(pax({ 'GNU.sparse.major': '1' }), entry({ name: 'a' }, 'no map'), AFTER),
      'no map of holes',
    ],
    [
      'a file from another volume',
      archiveOf(entry({ name: 'a', flag: 'M' }, 'x'), AFTER),
      'in another volume',
    ],
    [
      'an obsolete long name',
      archiveOf(entry({ name: 'a', flag: 'N' }, 'x'), AFTER),
      'name of the next member',
    ],
    ['an empty long name', archiveOf(long('L', ''), AFTER), 'an empty long name'],
  ])('%s is a fault', async (_, bytes, detail) => {
    const { faults, members } = await readAll(readTar, [archive(bytes)]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(detail);
    if (bytes.includes('after')) expect(members.length).toBeGreaterThan(0);
  });

  it('gives the contents that a directory should not have', async () => {
    const { members } = await readAll(readTar, [archive(entry({ name: 'd/', flag: '5' }, 'hidden'), AFTER)]);
    expect(members.map(({ bytes }) => bytes?.toString())).toEqual(['hidden', undefined]);
  });

  it('takes what stands behind a link of some size for the next member where it is a header', async () => {
    const { members } = await readAll(readTar, [archive(header({ name: 'l', flag: '1', size: 512 }), AFTER)]);
    expect(members.map(({ name, type }) => [name, type])).toEqual([
      ['l', 'hardlink'],
      ['after', 'file'],
    ]);
  });

  it('a PAX header that waits in vain is a fault', async () => {
    expect(await readAll(readTar, [archive(AFTER, pax({ path: 'a' }))])).toMatchObject({
      faults: ['corrupt: an extended header without a member'],
    });
    expect(await readAll(readTar, [archive(AFTER, pax({ path: 'a' }, 'g'))])).toMatchObject({
      faults: ['corrupt: a PAX header for all speaks of one member'],
    });
  });

  it.each<[string, Buffer, string, number]>([
    ['a wrong checksum', header({ name: 'a', badChecksum: true }), 'CONTAINER_CORRUPT', 512],
    ['text', Buffer.alloc(512, 'text'), 'CONTAINER_CORRUPT', 512],
    ['a size of letters', header({ name: 'a', sizeField: 'abc' }), 'CONTAINER_CORRUPT', 512],
    ['a size that is part number', header({ name: 'a', sizeField: '12x' }), 'CONTAINER_CORRUPT', 512],
    ['a negative size', header({ name: 'a', sizeField: '\xff'.repeat(12) }), 'CONTAINER_CORRUPT', 512],
    ['a long name of 2 MiB', header({ name: 'l', flag: 'L', size: 2 ** 21 }), 'CONTAINER_LIMIT', 512],
    ['a PAX header of 8 GiB', header({ name: 'x', flag: 'x', size: 2 ** 33 - 1 }), 'CONTAINER_LIMIT', 512],
  ])('cannot be read beyond %s', async (_, record, code, offset) => {
    const read = await readAll(readTar, [archiveOf(AFTER, record, AFTER, END)]);
    expect(read.members).toHaveLength(1);
    expect(read).toMatchObject({ code, offset, end: null });
  });

  it.each([
    ['2^60 in base 256', { sizeField: `\x80\0\0\0\x10${'\0'.repeat(7)}` }],
    ['2^33 - 1', { sizeField: '77777777777\0' }],
  ])('of a size of %s gives what there is and ends early', async (_, field) => {
    const read = await readAll(readTar, [
      archiveOf(header({ name: 'a', ...field }), Buffer.from('all there is')),
    ]);
    expect(read).toMatchObject({
      members: [{ name: 'a', bytes: Buffer.from('all there is'), code: 'CONTAINER_TRUNCATED' }],
      code: 'CONTAINER_TRUNCATED',
      end: null,
    });
  });
});

describe('readTar', () => {
  const bytes = archive(
    entry({ name: 'a' }, 'x'.repeat(1500)),
    pax({ path: 'p'.repeat(900), comment: 'c' }),
    entry({ name: 'b', magic: USTAR }, 'y'.repeat(512)),
    long('L', 'l'.repeat(512)),
    entry({ name: 'c', flag: '2', target: 't', magic: GNU }),
    entry({ name: 'd', magic: V7 }, 'z'),
  );

  it('says the same whatever the chunks, and whatever is read of the contents', async () => {
    const whole = await readAll(readTar, [bytes]);
    expect(whole.members).toHaveLength(4);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 1400 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: bytes.length }),
        async (sizes, cut) => {
          expect(await readAll(readTar, reusedChunks(bytes, sizes))).toEqual(whole);
          const part = bytes.subarray(0, cut);
          const read = await readAll(readTar, reusedChunks(part, sizes));
          expect(read).toEqual(await readAll(readTar, [part]));
          for (const wanted of ['none', 'first piece'] as const) {
            const less = await readAll(readTar, reusedChunks(part, sizes), wanted);
            expect(less.members.map(({ name, offset }) => [name, offset])).toEqual(
              read.members.map(({ name, offset }) => [name, offset]),
            );
            expect([less.code, less.end]).toEqual([read.code, read.end]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives one byte at a time the same as all at once', async () => {
    expect(await readAll(readTar, reusedChunks(bytes, [1]))).toEqual(await readAll(readTar, [bytes]));
  });

  it('throws what its source throws, wherever that is, and tells no end', async () => {
    for (let at = 0; at <= bytes.length; at += 256) {
      async function* failing(): AsyncGenerator<Uint8Array> {
        if (at > 0) yield bytes.subarray(0, at);
        throw new Error('disk');
      }
      let ended = false;
      const read = async (): Promise<void> => {
        for await (const item of readTar(failing(), () => (ended = true))) {
          if (item.item === 'member' && item.contents !== null) for await (const _ of item.contents);
        }
      };
      await expect(read(), `at ${at}`).rejects.toThrow('disk');
      expect(ended).toBe(false);
    }
  });

  it('lets its source go when nobody reads on', async () => {
    let released = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunksOf([bytes, bytes]);
      } finally {
        released = true;
      }
    }
    for await (const _ of readTar(source(), () => {})) break;
    expect(released).toBe(true);
  });

  it('refuses to give contents twice, or after the next member', async () => {
    const members: Member[] = [];
    for await (const item of readTar(chunksOf([bytes]), () => {}))
      if (item.item === 'member') members.push(item);
    for (const member of [members[0], members[1]]) {
      const late = async (): Promise<void> => {
        for await (const _ of member!.contents!);
      };
      await expect(late()).rejects.toMatchObject({ code: 'INTERNAL' });
    }
  });

  it('refuses to go on with contents that were begun before the next member', async () => {
    const items = readTar(chunksOf(reusedChunks(bytes, [600])), () => {});
    const first = (await items.next()).value as Member;
    const pieces = first.contents![Symbol.asyncIterator]();
    expect((await pieces.next()).done).toBe(false);
    await items.next();
    await expect(pieces.next()).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
