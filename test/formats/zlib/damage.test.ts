import { deflateSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBeam } from '../../../src/formats/beam/beam.ts';
import type { RandomContainer } from '../../../src/formats/container.ts';
import { readGitPack } from '../../../src/formats/gitpack/pack.ts';
import { readOcaml } from '../../../src/formats/ocaml/marshal.ts';
import { readPdf } from '../../../src/formats/pdf/pdf.ts';
import { readPng } from '../../../src/formats/png/png.ts';
import { readRdb } from '../../../src/formats/rdb/rdb.ts';
import { readObjectsInventory } from '../../../src/formats/sphinx/inventory.ts';
import { PackedPiece } from '../../../src/formats/zlib/piece.ts';
import { readGitObject } from '../../../src/formats/zlib/single.ts';
import type { NarScanError } from '../../../src/model/errors.ts';
import { wholeReader } from '../../support/rangeReaders.ts';
import { sample } from '../compression/support.ts';
import { readAll } from './support.ts';

const bytes = (...parts: (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));

const TEXT = 'in /home/alice';
const Z = deflateSync(TEXT);
const ZSTD = zstdCompressSync(TEXT);

/** A small file of each format, with more than one piece where it can have more. */
const FILES: readonly (readonly [string, RandomContainer, Buffer])[] = [
  ['inventory', readObjectsInventory, bytes('# Sphinx inventory version 2\n#\n#\n#\n', Z)],
  ['git object', readGitObject, Z],
  [
    'git pack',
    readGitPack,
    bytes('PACK\0\0\0\x02\0\0\0\x02', '\x3e', Z, '\x7e'.padEnd(21, 'h'), Z, 'h'.repeat(20)),
  ],
  [
    'PDF',
    readPdf,
    bytes(
      '%PDF-1.4\n1 0 obj<</Filter/FlateDecode>>stream\n',
      Z,
      '\nendstream 2 0 obj<</Filter/A85>>stream\n9jqo^~>',
    ),
  ],
  [
    'PNG',
    readPng,
    bytes(
      '\x89PNG\r\n\x1a\n',
      `\0\0\0${String.fromCharCode(Z.length + 3)}zTXtk\0\0`,
      Z,
      'sum.\0\0\0\0IENDsum.',
    ),
  ],
  [
    'BEAM',
    readBeam,
    bytes(
      `FOR1\0\0\0${String.fromCharCode(4 + 8 + 4 + Z.length)}BEAMLitT\0\0\0${String.fromCharCode(4 + Z.length)}\0\0\0\x0e`,
      Z,
    ),
  ],
  [
    'OCaml',
    readOcaml,
    bytes('Caml1999T034\x84\x95\xa6\xbd\x0a', String.fromCharCode(ZSTD.length), '\x0e\x01\x01\x01', ZSTD),
  ],
  ['R', readRdb, bytes('\0\0\0\x0e', Z, '\0\0\0\x0eZ\x01\0\x0d', TEXT, '\0', '\0\0\0\x020ab')],
];

describe.each(FILES)('%s', (_, read, whole) => {
  it('is read in full where it is whole', async () => {
    const { members, faults } = await readAll(read, whole);
    expect(faults).toEqual([]);
    expect(members[0]).toMatchObject({ code: null, bytes: Buffer.from(TEXT) });
  });

  it('whatever is changed in it, reading ends and throws nothing but errors of the table', async () => {
    const change = fc.record({
      at: fc.nat({ max: whole.length - 1 }),
      remove: fc.nat({ max: 4 }),
      insert: fc.uint8Array({ maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        let damaged = whole;
        for (const { at, remove, insert } of changes) {
          damaged = Buffer.concat([damaged.subarray(0, at), insert, damaged.subarray(at + remove)]);
        }
        await readAll(read, damaged);
      }),
      { numRuns: 300 },
    );
  });

  it('what its source does not have is never passed over', async () => {
    for (const from of [0, Math.floor(whole.length / 2), whole.length - 6]) {
      const all = wholeReader(whole);
      const holed = {
        size: whole.length,
        read: (offset: number, length: number) => (offset + length > from ? null : all.read(offset, length)),
      };
      let failed = false;
      try {
        for await (const item of read(holed, () => undefined)) {
          if (item.item === 'fault') failed = true;
          else for await (const chunk of item.contents ?? []) expect(chunk.length).toBeGreaterThan(0);
        }
      } catch (error) {
        expect((error as NarScanError).code).toBe('CONTAINER_UNREADABLE');
        failed = true;
      }
      expect(failed, `nothing from ${from} on`).toBe(true);
    }
  });
});

describe('a try at any offset', () => {
  const textOf = async (data: Uint8Array): Promise<{ length: number; code: string | null }> => {
    const piece = new PackedPiece('zlib', wholeReader(data), 0);
    let length = 0;
    try {
      for await (const chunk of piece.attempt()) length += chunk.length;
    } catch (error) {
      return { length, code: (error as NarScanError).code };
    }
    return { length, code: null };
  };

  it('fails silently where there was likely no stream, and aloud where there surely was one', async () => {
    expect(await textOf(Buffer.from('x\x9c and (SSL Certificate)', 'latin1'))).toEqual({
      length: 0,
      code: null,
    });
    expect(await textOf(Z)).toEqual({ length: TEXT.length, code: null });
    const long = deflateSync(sample(500_000));
    const cut = await textOf(long.subarray(0, -5000));
    expect(cut.code).toBe('COMPRESSION_TRUNCATED');
    expect(cut.length).toBeGreaterThan(100_000);
  });

  it('that finds no bytes says so', async () => {
    const piece = new PackedPiece('zlib', { size: 10, read: () => null }, 0);
    await expect(piece.attempt().next()).rejects.toMatchObject({ code: 'CONTAINER_UNREADABLE' });
  });
});
