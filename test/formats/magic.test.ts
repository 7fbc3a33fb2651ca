import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTENT, sniffContent, sniffName, sniffTail, TAIL_BYTES } from '../../src/formats/magic.ts';
import type { ContentKind } from '../../src/formats/magic.ts';
import { needs } from '../support/programs.ts';
import { SAMPLES, signedTar } from './magicSamples.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'magic-'));
  writeFileSync(join(folder, 'a.txt'), 'some text, and some text again\n'.repeat(50));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Sniffs at an odd place of a larger buffer, full of other bytes. */
function sniff(bytes: Uint8Array, name = '', size: number | null = bytes.length): ContentKind | null {
  const buffer = new Uint8Array(bytes.length + 20_000).fill(0x30);
  buffer.set(bytes, 77);
  return sniffContent(buffer, 77, bytes.length, size) ?? sniffName(name, buffer, 77, bytes.length);
}

const text = (value: string): Uint8Array => Buffer.from(value, 'latin1');

describe('each kind is known by a sample', () => {
  for (const { kind, how, programs, name, make } of SAMPLES) {
    it.skipIf(!needs(...programs))(`${kind}: ${how}`, () => {
      const bytes = make(folder);
      expect(sniff(bytes, name)).toBe(kind);
      expect(sniff(bytes, name, null)).toBe(kind);
      // A weak kind needs its name: bytes alone prove nothing.
      expect(sniff(bytes)).toBe(CONTENT[kind].strong ? kind : null);
    });
  }

  it('the table has a sample of every kind, and a source', () => {
    const made = new Set<string>([...SAMPLES.map(({ kind }) => kind), 'dmg', 'pyinstaller']);
    expect(Object.keys(CONTENT).filter((kind) => !made.has(kind))).toEqual([]);
    for (const { sign, source } of Object.values(CONTENT)) expect([sign, source]).not.toContain('');
  });
});

describe('what only begins like a container is none', () => {
  it.each<[string, Uint8Array]>([
    ['empty', text('')],
    ['one byte', text('\x1f')],
    ['PK in text', text('PK is the initials of Phil Katz, who wrote the first one of these.\n')],
    ['PK and control bytes', text('PK\x03\x04 is how a zip file begins, says the manual of this format\n')],
    ['gzip magic in text', text('\x1f\x8b are the first two bytes of a gzip file')],
    ['gzip with reserved flags', text('\x1f\x8b\x08\xe0aaaaaaaaaaaaaaaaaa')],
    ['BZh in text', text('BZh is the magic of bzip2, and BZh9 too')],
    ['BZh9 in text', text('BZh9 is the magic of bzip2 at its best')],
    ['LZIP in text', text('LZIP is a format of its own, and so on')],
    ['zstd with the reserved bit', text('\x28\xb5\x2f\xfd\x08aaaaaaa')],
    ['a skippable frame longer than the file', text('\x50\x2a\x4d\x18\xff\xff\xff\x7faaaaaaa')],
    ['lz4 of an unknown version', text('\x04\x22\x4d\x18\x80\x40aaaa')],
    ['cpio digits in text', text(`070701 is the magic of cpio, ${'and more of it '.repeat(10)}`)],
    ['a long number', text('0707'.repeat(60).replace('070707', '070708'))],
    ['7z in text', text('7z is an archiver, Rar! is another')],
    ['PDF in text', text('%PDF- is how a document begins, and %PDF-1.4 too\n')],
    ['PNG in text', text('\x89PNG is how an image begins')],
    ['PACK in text', text('PACK is the magic of git packs')],
    ['an OCaml magic in text', text('Caml1999 is the year, Caml1999I033 a magic')],
    ['a Redis dump', text('REDIS0009\xfa\x09redis-ver')],
    ['Sphinx inventory of version 1', text('# Sphinx inventory version 1\n')],
    ['zlib text', text('x\x9c and (SSL Certificate)')],
    ['a Java class', Buffer.from('cafebabe0000004100220a000200030700040c0005000601', 'hex')],
    ['hsqs in text', text('hsqs is the magic of squashfs on this machine.')],
    ['tar with a wrong checksum', signedTar().map((byte, k) => (k === 1 ? byte ^ 1 : byte))],
    ['a DOS program', text(`MZ${'\x40'.padStart(59, '\0')}${'\0'.repeat(99)}`)],
    ['BC and a mark, but no block', Buffer.from('4243c0de4243c0de', 'hex')],
    ['MZ in text', text('MZ are the initials of Mark Zbikowski. '.repeat(9))],
    ['zeros', new Uint8Array(40_000)],
    ['spaces', new Uint8Array(40_000).fill(0x20)],
    ['digits', new Uint8Array(40_000).fill(0x30)],
  ])('%s', (_, bytes) => {
    expect(sniff(bytes)).toBeNull();
    expect(sniff(bytes, 'a.lzma')).toBeNull();
    expect(sniff(bytes, 'a.Z')).toBeNull();
    expect(sniff(bytes, 'a.rdb')).toBeNull();
  });

  it('names alone: a directory of objects must look like one', () => {
    const zlib = text('x\x01aaaa');
    expect(sniff(zlib, 'objects/ab/short')).toBeNull();
    expect(sniff(zlib, `myobjects/ab/${'0'.repeat(38)}`)).toBeNull();
    expect(sniff(zlib, `a/objects/ab/${'0'.repeat(62)}`)).toBe('git-object');
  });

  it('without bytes the ending decides', () => {
    expect(['a.lzma', 'a.Z', 'a.br', 'a.txt', ''].map((name) => sniffName(name))).toEqual([
      'lzma',
      'compress',
      'brotli',
      null,
      null,
    ]);
  });

  it('nothing outside the given bytes is looked at', () => {
    for (const { kind, programs, make } of SAMPLES) {
      if (!CONTENT[kind].strong || programs.length > 0) continue;
      const bytes = make(folder);
      // cut after two bytes, with the rest still in the buffer
      if (kind !== 'shebang') expect(sniffContent(bytes, 0, 2, null), kind).toBeNull();
      expect(sniffContent(bytes, 0, 0, null), kind).toBeNull();
    }
  });

  it('random bytes are next to never a container, and never an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.string({ maxLength: 8 }), (bytes, name) => {
        const kind = sniff(bytes, name);
        expect(kind === null || kind in CONTENT).toBe(true);
        expect(sniffTail(bytes, 0, bytes.length, bytes.length)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

describe('the end of a file', () => {
  it.skipIf(!needs('zip'))('a zip archive behind a script', () => {
    execFileSync('sh', ['-c', "rm -f s.zip; zip -q s.zip a.txt; { echo '#!/bin/sh'; cat s.zip; } >sfx"], {
      cwd: folder,
    });
    const sfx = readFileSync(join(folder, 'sfx'));
    const tail = Math.min(TAIL_BYTES, sfx.length);
    expect(sniffContent(sfx, 0, sfx.length, sfx.length)).toBe('shebang');
    expect(sniffTail(sfx, sfx.length - tail, tail, sfx.length)).toBe('zip');
    // the longest comment pushes the end record far from the end
    const commented = Buffer.concat([sfx, Buffer.alloc(0xffff, 'c')]);
    commented.writeUInt16LE(0xffff, sfx.length - 2);
    const start = Math.max(0, commented.length - TAIL_BYTES);
    expect(sniffTail(commented, start, commented.length - start, commented.length)).toBe('zip');
  });

  it('a disk image', () => {
    const bytes = new Uint8Array(3000);
    bytes.set(text('koly\0\0\0\x04\0\0\x02\0'), 3000 - 512);
    expect(sniffTail(bytes, 3000 - TAIL_BYTES, TAIL_BYTES, 3000)).toBe('dmg');
    expect(sniffTail(bytes, 0, 2999, 2999)).toBeNull();
    expect(sniffTail(bytes, 0, 100, 100)).toBeNull();
  });

  it('text that ends on PK is none', () => {
    const bytes = text('the magic of the end is PK\x05\x06 and then some more, as we know');
    expect(sniffTail(bytes, 0, bytes.length, bytes.length)).toBeNull();
  });
});

describe.skipIf(!needs('file'))('files of this machine', () => {
  it('file(1) agrees on what is compressed', () => {
    const root = '/usr/share/doc';
    const paths = readdirSync(root, { recursive: true, encoding: 'latin1' })
      .filter((path) => /\.(gz|xz|bz2|zip|png|html|txt|js|svg|css|inv|pdf)$/.test(path))
      .map((path) => join(root, path))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
    const step = Math.max(1, Math.floor(paths.length / 300));
    const sample = paths.filter((_, k) => k % step === 0);
    if (sample.length === 0) return;
    const types = execFileSync('file', ['-b', '--mime-type', ...sample], { encoding: 'latin1' })
      .trim()
      .split('\n');
    for (const [k, path] of sample.entries()) {
      const bytes = readFileSync(path);
      const kind = sniffContent(bytes, 0, bytes.length, bytes.length);
      const compressed = /^(?:application|image)\/(gzip|x-xz|x-bzip2|zip|zstd|pdf|png)$/.exec(types[k] ?? '');
      if (compressed !== null) expect(kind, path).toBe(compressed[1]?.replace('x-', ''));
      if (types[k]?.startsWith('text/') === true) {
        expect(['shebang', 'sphinx-inventory', null], path).toContain(kind);
      }
    }
  });
});
