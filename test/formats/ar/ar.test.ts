import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAr } from '../../../src/formats/ar/ar.ts';
import { readAll } from '../../support/containerItems.ts';
import { needs } from '../../support/programs.ts';
import { reusedChunks } from '../compression/support.ts';

const MAGIC = Buffer.from('!<arch>\n');
const THIN = Buffer.from('!<thin>\n');

function header(name: string, size: number | string): Buffer {
  const fields = [name.padEnd(16), '0'.padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)];
  return Buffer.from(`${fields.join('')}${String(size).padEnd(10)}\`\n`, 'latin1');
}

function member(name: string, contents: string): Buffer {
  const body = Buffer.from(contents + (contents.length % 2 === 1 ? '\n' : ''), 'latin1');
  return Buffer.concat([header(name, contents.length), body]);
}

function archive(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([MAGIC, ...parts]);
}

async function listing(bytes: Uint8Array): Promise<unknown[]> {
  const { members, ...rest } = await readAll(readAr, [bytes]);
  expect(rest).toEqual({ faults: [], code: null, offset: null, end: bytes.length });
  return members.map((found) => [found.name, found.bytes?.toString() ?? null]);
}

const TABLE = 'a-long-member-name.o/\nanother/long-name.o/\n';

const GNU = archive(
  member('/', '\0\0\0\0'),
  member('//', TABLE),
  member('short.o/', 'odd'),
  member('/0', 'first'),
  member('/22', ''),
  member('plain', 'as in a Debian package'),
);

const BSD = archive(
  member('__.SYMDEF SORTED', 'sym!'),
  member('#1/20', 'a long BSD name.o\0\0\0contents'),
  member('short name.o', 'x'),
);

describe('readAr', () => {
  it('reads an archive with names as GNU writes them', async () => {
    expect(await listing(GNU)).toEqual([
      ['/', '\0\0\0\0'],
      ['short.o', 'odd'],
      ['a-long-member-name.o', 'first'],
      ['another/long-name.o', null],
      ['plain', 'as in a Debian package'],
    ]);
  });

  it('reads an archive with names as BSD writes them', async () => {
    expect(await listing(BSD)).toEqual([
      ['__.SYMDEF SORTED', 'sym!'],
      ['a long BSD name.o', 'contents'],
      ['short name.o', 'x'],
    ]);
  });

  it("reads names as Microsoft's tools end them", async () => {
    expect(await listing(archive(member('//', 'one.obj\0two.obj\0'), member('/8', 'x')))).toEqual([
      ['two.obj', 'x'],
    ]);
  });

  it('says where contents lie', async () => {
    const { members } = await readAll(readAr, [BSD]);
    const { offset, stored, bytes } = members[1]!;
    expect(stored).toBe(true);
    expect(BSD.subarray(offset!, offset! + 8)).toEqual(bytes);
  });

  it('reads a thin archive, whose members are elsewhere', async () => {
    const bytes = Buffer.concat([
      THIN,
      member('/', '\0\0\0\0'),
      member('//', TABLE),
      header('/0', 123_456),
      header('/22:600', 7),
      header('x.o/', 9),
    ]);
    expect(await listing(bytes)).toEqual([
      ['/', '\0\0\0\0'],
      ['a-long-member-name.o', null],
      ['another/long-name.o', null],
      ['x.o', null],
    ]);
  });

  it('takes an archive without members, and one whose last byte of padding is missing', async () => {
    expect(await listing(MAGIC)).toEqual([]);
    expect(await listing(archive(member('a/', 'odd')).subarray(0, -1))).toEqual([['a', 'odd']]);
  });

  it('says the same whatever the chunks, and whatever is read of the contents', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(GNU, BSD),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: GNU.length }),
        async (whole, sizes, cut) => {
          const bytes = whole.subarray(0, cut);
          const read = await readAll(readAr, [bytes]);
          expect(await readAll(readAr, reusedChunks(bytes, sizes))).toEqual(read);
          const less = await readAll(readAr, reusedChunks(bytes, sizes), 'none');
          expect(less.members.map(({ name }) => name)).toEqual(read.members.map(({ name }) => name));
          expect([less.code, less.end]).toEqual([read.code, read.end]);
        },
      ),
    );
  });

  it('an archive ends early where it is cut in a header or in contents', async () => {
    const bytes = archive(member('a/', 'some'), member('b/', 'x'.repeat(50)));
    for (let length = 0; length < bytes.length; length += 1) {
      const { code, end } = await readAll(readAr, [bytes.subarray(0, length)]);
      const between = length === MAGIC.length || length === MAGIC.length + 64;
      expect([length, code, end]).toEqual([
        length,
        between ? null : 'CONTAINER_TRUNCATED',
        between ? length : null,
      ]);
    }
  });

  it.each<[string, Buffer, string]>([
    [
      'a name beyond the table',
      archive(member('//', TABLE), member('/999', 'x')),
      'the table of names has no',
    ],
    ['a name without a table', archive(member('/0', 'x')), 'the table of names has no'],
    ['a name in the table without end', archive(member('//', 'n'.repeat(9000)), member('/0', 'x')), 'has no'],
    ['a BSD name longer than its member', archive(member('#1/20', 'x')), 'longer than its member'],
  ])('%s is a fault, and the member is read', async (_, bytes, detail) => {
    const { faults, members, code } = await readAll(readAr, [bytes]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(detail);
    expect(members.map((found) => found.bytes?.toString())).toEqual(['x']);
    expect(code).toBeNull();
  });

  it('a table of names that is too large is a fault, and is not kept', async () => {
    const bytes = archive(header('//', 2 ** 24 + 2));
    const read = await readAll(readAr, [bytes]);
    expect(read.faults).toEqual([`limit-memory: a table of names of ${2 ** 24 + 2} bytes`]);
    expect(read.code).toBe('CONTAINER_TRUNCATED');
  });

  it.each<[string, Buffer]>([
    ['text', Buffer.alloc(60, 'text')],
    ['a size of letters', header('a/', 'abc')],
    ['a negative size', header('a/', '-1')],
    ['a size in two parts', header('a/', '1 1')],
    ['no size', header('a/', '')],
  ])('cannot read beyond %s', async (_, record) => {
    const first = member('a/', 'x');
    const read = await readAll(readAr, [archive(first, record)]);
    expect(read).toMatchObject({
      members: [{ name: 'a' }],
      code: 'CONTAINER_CORRUPT',
      offset: MAGIC.length + first.length,
      end: null,
    });
  });
});

describe.skipIf(!needs('ar'))('an archive by ar', () => {
  let folder: string;
  const LONG = `${'long-'.repeat(8)}name.o`;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-ar-'));
    writeFileSync(join(folder, 'a.o'), 'odd');
    writeFileSync(join(folder, LONG), 'long contents');
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['of the usual kind', 'rcs', ['odd', 'long contents']],
    ['that is thin', 'rcsT', [null, null]],
  ])('%s is read in full', async (_, flags, contents) => {
    rmSync(join(folder, 'x.a'), { force: true });
    expect(spawnSync('ar', [flags, 'x.a', 'a.o', LONG], { cwd: folder }).status).toBe(0);
    expect(await listing(readFileSync(join(folder, 'x.a')))).toEqual([
      ['a.o', contents[0]],
      [LONG, contents[1]],
    ]);
  });
});

describe.skipIf(!needs('gcc', 'ar'))('a library of objects', () => {
  it('has its symbol table and its objects as members', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nar-scan-ar-'));
    try {
      writeFileSync(join(folder, 'x.c'), 'int x(void) { return 1; }');
      const run = (...args: string[]): number | null =>
        spawnSync(args[0]!, args.slice(1), { cwd: folder }).status;
      expect(run('gcc', '-c', 'x.c')).toBe(0);
      expect(run('ar', 'rcs', 'libx.a', 'x.o')).toBe(0);
      const { members, faults } = await readAll(readAr, [readFileSync(join(folder, 'libx.a'))]);
      expect(faults).toEqual([]);
      expect(members.map(({ name }) => name)).toEqual(['/', 'x.o']);
      expect(members[1]?.bytes?.equals(readFileSync(join(folder, 'x.o')))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
