import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sniffTail } from '../../../src/formats/magic.ts';
import { readPyInstaller, readPyInstallerModules } from '../../../src/formats/pyinstaller/archive.ts';
import { isIncomplete, readAll, texts } from '../zlib/support.ts';

const LEAK = Buffer.from('/home/alice/src/answer.py');
const LOADER = Buffer.from('\x7fELF loader MEI\x0c\x0b\x0a\x0b\x0e and its own magic', 'latin1');

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
  return bytes;
}

interface Entry {
  readonly name: string;
  readonly data: Buffer;
  readonly packed?: boolean;
  /** What the table says of the length. */
  readonly says?: number;
}

/** A program with an archive behind its loader, as PyInstaller's CArchiveWriter writes it. */
function program(entries: readonly Entry[], behind: Buffer = Buffer.alloc(0)): Buffer {
  const data: Buffer[] = [];
  const rows: Buffer[] = [];
  let offset = 0;
  for (const { name, data: plain, packed = true, says } of entries) {
    const bytes = packed ? deflateSync(plain) : plain;
    const title = Buffer.alloc(Math.ceil((18 + name.length + 1) / 16) * 16 - 18);
    title.write(name, 'latin1');
    const length = 18 + title.length;
    const marks = Buffer.from([packed ? 1 : 0, 0x73]);
    rows.push(u32(length, offset, bytes.length, says ?? plain.length), marks, title);
    data.push(bytes);
    offset += bytes.length;
  }
  const table = Buffer.concat(rows);
  const cookie = Buffer.concat([
    Buffer.from('MEI\x0c\x0b\x0a\x0b\x0e', 'latin1'),
    u32(offset + table.length + 88, offset, table.length, 311),
    Buffer.alloc(64),
  ]);
  return Buffer.concat([LOADER, ...data, table, cookie, behind]);
}

const ENTRIES: readonly Entry[] = [
  { name: 'struct', data: Buffer.from('import struct\n') },
  { name: 'lib/answer.so', data: LEAK, packed: false },
  { name: 'answer', data: Buffer.concat([Buffer.alloc(200_000, 'x'), LEAK]) },
];

const sniffed = (bytes: Buffer): string | null => sniffTail(bytes, 0, bytes.length, bytes.length);

describe('a PyInstaller program', () => {
  it('gives every entry, packed and not, whatever stands behind the archive', async () => {
    for (const behind of [Buffer.alloc(0), Buffer.alloc(60_000, 7)]) {
      const bytes = program(ENTRIES, behind);
      expect(sniffed(bytes)).toBe('pyinstaller');
      const read = await readAll(readPyInstaller, bytes);
      expect(read.members.map(({ name }) => name)).toEqual(ENTRIES.map(({ name }) => name));
      expect(read.members.map((member) => member.bytes)).toEqual(ENTRIES.map(({ data }) => data));
      expect(isIncomplete(read)).toBe(false);
    }
  });

  it('is none where the record leads nowhere', () => {
    const bytes = program(ENTRIES);
    for (const field of [8, 12, 16]) {
      const wrong = Buffer.from(bytes);
      wrong.writeUInt32BE(0xffff_fff0, bytes.length - 88 + field);
      expect([field, sniffed(wrong)]).toEqual([field, null]);
    }
    expect(sniffed(LOADER)).toBeNull();
  });

  it('with a damaged entry gives the others, and is incomplete', async () => {
    const bytes = program(ENTRIES);
    const damaged = Buffer.from(bytes);
    damaged.fill(0xff, LOADER.length + 4, LOADER.length + 12);
    const read = await readAll(readPyInstaller, damaged);
    expect(texts(read).slice(1)).toEqual(ENTRIES.slice(1).map(({ data }) => data.toString('latin1')));
    expect(isIncomplete(read)).toBe(true);
  });

  it('whose table is no table, or says another length, is incomplete', async () => {
    const short = program([{ name: 'answer', data: LEAK, says: 3 }]);
    expect((await readAll(readPyInstaller, short)).faults).toEqual([`corrupt@${LOADER.length}`]);
    const bytes = program(ENTRIES);
    const rows = bytes.length - 88 - 3 * 32;
    const damaged = Buffer.from(bytes);
    damaged.writeUInt32BE(5, rows);
    expect((await readAll(readPyInstaller, damaged)).faults).toEqual([`corrupt@${rows}`]);
    damaged.writeUInt32BE(32, rows);
    damaged.writeUInt32BE(0x7fff_ffff, rows + 8);
    const read = await readAll(readPyInstaller, damaged);
    expect([read.members.length, read.faults.length]).toEqual([2, 1]);
  });

  it('any bytes changed: never throws, and what is not all there is incomplete or no archive', async () => {
    const bytes = program(ENTRIES.slice(0, 2));
    const change = fc.tuple(fc.nat(bytes.length - LOADER.length - 65), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(change, async ([at, by]) => {
        const changed = Buffer.from(bytes);
        changed[LOADER.length + at] = (changed[LOADER.length + at] ?? 0) ^ by;
        const read = await readAll(readPyInstaller, changed);
        const same =
          texts(read).join() ===
          ENTRIES.slice(0, 2)
            .map(({ data }) => data.toString('latin1'))
            .join();
        // what is not packed has no check, nor have the names
        const stored = read.members.length === 2 && read.members[0]?.bytes.equals(ENTRIES[0]?.data ?? LEAK);
        expect(same || stored === true || isIncomplete(read)).toBe(true);
      }),
    );
  });
});

describe('the modules of a PyInstaller program', () => {
  const modules = (...parts: readonly Buffer[]): Buffer => {
    const data = Buffer.concat(parts);
    const head = Buffer.concat([
      Buffer.from('PYZ\0\xa7\r\r\n', 'latin1'),
      u32(17 + data.length),
      Buffer.alloc(5),
    ]);
    return Buffer.concat([head, data, Buffer.from('table')]);
  };

  it('are all given', async () => {
    const read = await readAll(
      readPyInstallerModules,
      modules(deflateSync(Buffer.from('one')), deflateSync(LEAK)),
    );
    expect([texts(read), isIncomplete(read)]).toEqual([['one', LEAK.toString()], false]);
  });

  it('that are encrypted, cut or without a place are incomplete', async () => {
    const packed = deflateSync(LEAK);
    for (const bytes of [
      modules(deflateSync(Buffer.from('one')), Buffer.alloc(64, 0xa5)),
      modules(packed.subarray(0, packed.length - 3)),
      modules(packed).subarray(0, 30),
      Buffer.from('PYZ\0\xa7\r\r\n\0\0\0\0\0\0\0\0\0', 'latin1'),
    ]) {
      expect(isIncomplete(await readAll(readPyInstallerModules, bytes))).toBe(true);
    }
  });
});
