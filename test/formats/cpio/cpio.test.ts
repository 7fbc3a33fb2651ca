import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCpio } from '../../../src/formats/cpio/cpio.ts';
import type { CpioFormat } from '../../../src/formats/cpio/header.ts';
import { readAll } from '../../support/containerItems.ts';
import { needs } from '../../support/programs.ts';
import { reusedChunks } from '../compression/support.ts';
import { member, trailer } from './writer.ts';

const FORMATS: readonly CpioFormat[] = ['newc', 'crc', 'odc', 'little', 'big'];
const DIRECTORY = 0o040755;
const LINK = 0o120777;

function archive(format: CpioFormat, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, trailer(format)]);
}

function sample(format: CpioFormat): Buffer {
  return archive(
    format,
    member(format, { name: 'dir', mode: DIRECTORY }),
    member(format, { name: 'dir/a', contents: 'odd' }),
    member(format, { name: 'dir/link', mode: LINK, contents: '/home/alice/x' }),
    member(format, { name: 'dir/tty', mode: 0o020600 }),
    member(format, { name: 'dir/bb', contents: 'x'.repeat(70_000) }),
    member(format, { name: 'empty' }),
  );
}

describe('readCpio', () => {
  it.each(FORMATS)('reads names, types, targets and contents of %s', async (format) => {
    const bytes = sample(format);
    const { members, ...rest } = await readAll(readCpio, [bytes]);
    expect(rest).toEqual({ faults: [], code: null, offset: null, end: bytes.length });
    expect(
      members.map(({ name, type, target, bytes: read }) => [name, type, target, read?.length ?? null]),
    ).toEqual([
      ['dir', 'directory', '', null],
      ['dir/a', 'file', '', 3],
      ['dir/link', 'symlink', '/home/alice/x', null],
      ['dir/tty', 'special', '', null],
      ['dir/bb', 'file', '', 70_000],
      ['empty', 'file', '', null],
    ]);
    const { offset, stored } = members[1]!;
    expect(stored).toBe(true);
    expect(bytes.subarray(offset!, offset! + 3).toString()).toBe('odd');
  });

  it('says the same whatever the chunks, and whatever is read of the contents', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FORMATS),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (format, sizes, cut) => {
          const whole = Buffer.concat([sample(format), Buffer.alloc(300), sample('newc')]);
          const bytes = cut > 0.8 ? whole : whole.subarray(0, Math.floor(cut * whole.length));
          const read = await readAll(readCpio, [bytes]);
          expect(await readAll(readCpio, reusedChunks(bytes, sizes))).toEqual(read);
          const less = await readAll(readCpio, reusedChunks(bytes, sizes), 'none');
          expect(less.members.map(({ name }) => name)).toEqual(read.members.map(({ name }) => name));
          expect([less.code, less.end]).toEqual([read.code, read.end]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(FORMATS)('an archive of %s ends early wherever it is cut', async (format) => {
    const bytes = archive(
      format,
      member(format, { name: 'a', contents: 'odd' }),
      member(format, { name: 'bb' }),
    );
    for (let length = 0; length < bytes.length; length += 1) {
      const { code, end } = await readAll(readCpio, [bytes.subarray(0, length)]);
      // What fills up the trailer itself may be missing.
      expect([length, code, end]).toEqual([length, 'CONTAINER_TRUNCATED', null]);
    }
  });

  it('reads archives one after another as one, and ends where none follows', async () => {
    const one = (name: string, format: CpioFormat = 'newc'): Buffer =>
      archive(format, member(format, { name, contents: name }));
    const parts = [one('a'), Buffer.alloc(388), one('b'), one('c', 'odc')];
    const tail = Buffer.from('\x1f\x8b\x08 what follows', 'latin1');
    const bytes = Buffer.concat([...parts, Buffer.alloc(100), tail]);
    const { members, faults, code, end } = await readAll(readCpio, [bytes]);
    expect(members.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect({ faults, code, end }).toEqual({ faults: [], code: null, end: bytes.length - tail.length });
  });

  it('takes NULs that fill up names and end link targets', async () => {
    const bytes = archive(
      'newc',
      member('newc', { name: 'padded', nuls: 100, contents: 'x' }),
      member('newc', { name: 'link', mode: LINK, contents: 'target\0' }),
    );
    expect(await readAll(readCpio, [bytes])).toMatchObject({
      members: [{ name: 'padded' }, { name: 'link', target: 'target' }],
      faults: [],
      code: null,
    });
  });

  it('gives contents whose checksum is wrong, then says so, and goes on', async () => {
    const bytes = archive(
      'crc',
      member('crc', { name: 'a', contents: 'x', sum: 1 }),
      member('crc', { name: 'b' }),
    );
    expect(await readAll(readCpio, [bytes])).toMatchObject({
      members: [{ name: 'a', bytes: Buffer.from('x'), code: 'CONTAINER_CORRUPT' }, { name: 'b' }],
      code: null,
      end: bytes.length,
    });
  });

  it.each<[string, Buffer, string]>([
    ['NUL in a name', member('newc', { name: 'a\0b' }), 'does not end at its NUL'],
    ['a name without NUL', member('newc', { name: 'ab', nuls: 0 }), 'does not end at its NUL'],
    [
      'NUL in a link target',
      member('newc', { name: 'a', mode: LINK, contents: 'x\0y' }),
      'NUL in a link target',
    ],
    [
      'a directory with contents',
      member('newc', { name: 'd', mode: DIRECTORY, contents: 'x' }),
      'none can be',
    ],
    [
      'a long link target',
      member('newc', { name: 'l', mode: LINK, contents: 'x'.repeat(4096) }),
      'limit-size',
    ],
  ])('%s is a fault', async (_, bytes, detail) => {
    const read = await readAll(readCpio, [archive('newc', bytes, member('newc', { name: 'after' }))]);
    expect(read.faults).toHaveLength(1);
    expect(read.faults[0]).toContain(detail);
    expect(read.members.map(({ name }) => name)).toContain('after');
  });

  it('a trailer with contents is a fault', async () => {
    const { faults } = await readAll(readCpio, [member('newc', { name: 'TRAILER!!!', contents: 'hidden' })]);
    expect(faults).toEqual(['corrupt: the trailer has contents']);
  });

  it.each<[string, Buffer, string]>([
    ['text', Buffer.alloc(200, 'text'), 'CONTAINER_CORRUPT'],
    ['a header of another format', member('odc', { name: 'b' }), 'CONTAINER_CORRUPT'],
    ['a member without a name', member('newc', { name: '', nuls: 0 }), 'CONTAINER_CORRUPT'],
    ['a name of 5000 bytes', member('newc', { name: 'n'.repeat(5000) }), 'CONTAINER_LIMIT'],
  ])('cannot read beyond %s', async (_, bytes, code) => {
    const first = member('newc', { name: 'a' });
    const read = await readAll(readCpio, [archive('newc', first, bytes)]);
    expect(read).toMatchObject({ members: [{ name: 'a' }], code, offset: first.length, end: null });
  });
});

describe.skipIf(!needs('cpio'))('an archive by GNU cpio', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-cpio-'));
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/a'), 'shared contents');
    linkSync(join(folder, 'd/a'), join(folder, 'd/b'));
    writeFileSync(join(folder, 'd/c'), 'c'.repeat(12_345));
    symlinkSync('/home/alice/target', join(folder, 'd/l'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each(['newc', 'crc', 'odc', 'bin'])('in the format %s is read in full', async (format) => {
    const names = 'd\nd/a\nd/b\nd/c\nd/l\n';
    const { status, stdout } = spawnSync('cpio', ['-o', '-H', format, '--quiet'], {
      cwd: folder,
      input: names,
    });
    expect(status).toBe(0);
    const { members, faults, code, end } = await readAll(readCpio, [stdout]);
    expect({ faults, code, end }).toEqual({ faults: [], code: null, end: stdout.length });
    expect(members.map(({ name }) => name).sort()).toEqual(['d', 'd/a', 'd/b', 'd/c', 'd/l']);
    const contents = (name: string): string | undefined =>
      members.find((found) => found.name === name)?.bytes?.toString();
    expect([contents('d/a'), contents('d/b')]).toContain('shared contents');
    expect(contents('d/c')).toBe('c'.repeat(12_345));
    expect(members.find(({ type }) => type === 'symlink')?.target).toBe('/home/alice/target');
  });
});
