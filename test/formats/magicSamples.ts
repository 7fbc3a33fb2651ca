import { execFileSync } from 'node:child_process';
import type { ContentKind } from '../../src/formats/magic.ts';
import { writeElf } from '../support/elfWriter.ts';
import { BitWriter } from '../support/bitWriter.ts';
import { writePortablePdb } from '../support/portablePdbWriter.ts';
import { writePe } from '../support/peWriter.ts';
import { writeFat, writeMacho } from '../support/machoWriter.ts';

/** A file of one kind: made by programs in a folder that holds `a.txt`, or by hand. */
export interface Sample {
  readonly kind: ContentKind;
  readonly how: string;
  /** What it needs; none: made by hand. */
  readonly programs: readonly string[];
  /** Name that gives the second sign. */
  readonly name?: string;
  readonly make: (folder: string) => Uint8Array;
}

/** The standard output of a shell line. */
const shell =
  (line: string) =>
  (folder: string): Uint8Array =>
    execFileSync('sh', ['-c', line], {
      cwd: folder,
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    });

const by = (kind: ContentKind, program: string, line: string, name?: string): Sample => ({
  kind,
  how: line,
  programs: [program],
  ...(name === undefined ? {} : { name }),
  make: shell(line),
});

const hand = (kind: ContentKind, how: string, make: () => Uint8Array, name?: string): Sample => ({
  kind,
  how: `by hand: ${how}`,
  programs: [],
  ...(name === undefined ? {} : { name }),
  make,
});

const latin1 = (text: string, length = text.length): Uint8Array => {
  const bytes = Buffer.alloc(length);
  bytes.write(text, 'latin1');
  return bytes;
};

function squashfs(big: boolean, version: number): Uint8Array {
  const bytes = Buffer.alloc(96);
  bytes.write(big ? 'sqsh' : 'hsqs', 'latin1');
  if (big) bytes.writeUInt16BE(version, 28);
  else bytes.writeUInt16LE(version, 28);
  return bytes;
}

function iso(): Uint8Array {
  const bytes = Buffer.alloc(36_864);
  bytes.write('\x01CD001\x01', 32_768, 'latin1');
  return bytes;
}

/** One member `a` of the old binary cpio. */
function oldCpio(big: boolean): Uint8Array {
  const words = [0o070707, 1, 2, 0o100644, 0, 0, 1, 0, 0, 0, 2, 0, 0];
  const bytes = Buffer.alloc(28);
  for (const [k, word] of words.entries()) {
    if (big) bytes.writeUInt16BE(word, k * 2);
    else bytes.writeUInt16LE(word, k * 2);
  }
  bytes.write('a\0', 26, 'latin1');
  return bytes;
}

/** A tar header of the seventh edition whose checksum was added up from signed bytes. */
export function signedTar(): Uint8Array {
  const bytes = Buffer.alloc(1024);
  bytes.write('n\xe9', 0, 'latin1');
  bytes.write('0000644\0', 100, 'latin1');
  bytes.write('        ', 148, 'latin1');
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + (byte < 128 ? byte : byte - 256), 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

const zipLine = (mode: string): string =>
  `python3 -c "import sys,zipfile; z=zipfile.ZipFile(sys.stdout.buffer,'w',zipfile.${mode}); z.writestr('a','x'*99); z.close()"`;
const emptyZip = `python3 -c "import sys,zipfile; zipfile.ZipFile(sys.stdout.buffer,'w').close()"`;
const gitObject = `python3 -c "import sys,zlib; sys.stdout.buffer.write(zlib.compress(b'blob 1\\0x'))"`;
const objectName = `objects/ab/${'0123456789'.repeat(4).slice(0, 38)}`;

export const SAMPLES: readonly Sample[] = [
  hand('elf', '64 bit', () => writeElf({ wide: true, big: false })),
  hand('elf', '32 bit, big endian', () => writeElf({ wide: false, big: true })),
  ...[true, false].flatMap((wide) => [
    hand('macho', `64 bit: ${wide}`, () => writeMacho({ wide, big: false, strings: [] })),
    hand('macho', `64 bit: ${wide}, big endian`, () => writeMacho({ wide, big: true, strings: [] })),
    hand('macho-fat', `64 bit: ${wide}`, () =>
      writeFat([writeMacho({ wide, big: false, strings: [] })], wide),
    ),
  ]),
  by('macho', 'llvm-mc', 'llvm-mc -filetype=obj -triple arm64-apple-macos11 /dev/null'),
  hand(
    'bitcode',
    'an empty module',
    () => new BitWriter().fixed(32, 0xdec0_4342).block(2, 8, 4, () => {}).bytes,
  ),
  hand('bitcode', 'wrapped', () => Buffer.from('dec0170b000000001400000004000000070000014243c0de', 'hex')),
  by('bitcode', 'llvm-as', 'llvm-as -o - /dev/null'),
  hand('portable-pdb', 'of one document', () => writePortablePdb(['/a/b.cs'])),
  hand('pe', '64 bit', () => writePe({ wide: true })),
  hand('pe', '32 bit, its header further behind', () => writePe({ wide: false, headerAt: 4096 })),
  hand('shebang', '#!/bin/sh', () => latin1('#!/bin/sh\n')),
  hand('shebang', 'with a space', () => latin1('#! /bin/sh')),
  by('gzip', 'gzip', 'gzip -c a.txt'),
  by('gzip', 'gzip', 'gzip -nc </dev/null'),
  by('xz', 'xz', 'xz -c a.txt'),
  by('xz', 'xz', 'xz --check=none -c a.txt'),
  by('xz', 'xz', 'xz --check=sha256 -c a.txt'),
  by('zstd', 'zstd', 'zstd -c a.txt'),
  by('zstd', 'zstd', 'zstd -19 --long -c <a.txt'),
  by('zstd', 'zstd', "{ printf '\\120\\052\\115\\030\\004\\000\\000\\000abcd'; zstd -c a.txt; }"),
  by('bzip2', 'bzip2', 'bzip2 -c a.txt'),
  by('bzip2', 'bzip2', 'bzip2 -1c </dev/null'),
  by('lz4', 'lz4', 'lz4 -c a.txt'),
  by('lz4', 'lz4', 'lz4 -BD -B4 --content-size -c a.txt'),
  by('lz4', 'lz4', 'lz4 -l -c a.txt'),
  by('lzip', 'lzip', 'lzip -c a.txt'),
  by('lzip', 'lzip', 'lzip -9 -c a.txt'),
  hand('lzop', 'magic', () => latin1('\x89LZO\0\r\n\x1a\n\x10\x40')),
  hand('snappy', 'stream identifier', () => latin1('\xff\x06\0\0sNaPpY\0')),
  by('zip', 'zip', 'zip -q - a.txt'),
  by('zip', 'zip', 'zip -q t.zip a.txt >&2; cat t.zip'),
  by('zip', 'python3', zipLine('ZIP_STORED')),
  by('zip', 'python3', zipLine('ZIP_LZMA')),
  by('zip', 'python3', emptyZip),
  by('zip', 'python3', `{ printf 'PK\\007\\010'; ${zipLine('ZIP_DEFLATED')}; }`),
  ...['v7', 'oldgnu', 'gnu', 'ustar', 'pax'].map((format) =>
    by('tar', 'tar', `tar --format=${format} -cf - a.txt`),
  ),
  by('tar', 'tar', "cp a.txt './#!PK' && tar --format=ustar -cf - '#!PK'"),
  hand('tar', 'signed checksum', signedTar),
  by('ar', 'ar', 'rm -f t.a; ar rc t.a a.txt && cat t.a'),
  by('ar', 'ar', 'rm -f t.a; ar rcT t.a a.txt && cat t.a'),
  hand('cpio', 'new ASCII', () => latin1(`070701${'0'.repeat(104)}a\0`)),
  hand('cpio', 'new ASCII with a sum', () => latin1(`070702${'0123ABef'.repeat(13)}a\0`)),
  hand('cpio', 'old ASCII', () => latin1(`070707${'0'.repeat(70)}a\0`)),
  hand('cpio', 'old binary, little endian', () => oldCpio(false)),
  hand('cpio', 'old binary, big endian', () => oldCpio(true)),
  hand('rpm-cpio', 'number of a file', () => latin1('07070X0000001f\0\0')),
  hand('7z', 'magic', () => latin1('7z\xbc\xaf\x27\x1c\0\x04', 32)),
  hand('rar', 'version 4', () => latin1('Rar!\x1a\x07\0\xcf')),
  hand('rar', 'version 5', () => latin1('Rar!\x1a\x07\x01\0\x33')),
  hand('squashfs', 'version 4', () => squashfs(false, 4)),
  hand('squashfs', 'version 3, big endian', () => squashfs(true, 3)),
  hand('iso9660', 'volume descriptor', iso),
  hand('udf', 'volume recognition', () => {
    const bytes = Buffer.alloc(36_864);
    bytes.write('BEA01', 32_769, 'latin1');
    bytes.write('NSR02', 34_817, 'latin1');
    return bytes;
  }),
  hand('zisofs', 'header', () => Buffer.from('37e45396c9dbd60700800000040f0000', 'hex')),
  hand('zisofs', 'header of version 2', () =>
    Buffer.from('ef2255a1bc1b95a000060111008000000000000000000000', 'hex'),
  ),
  hand('cab', 'magic', () => latin1('MSCF\0\0\0\0', 36)),
  hand('xar', 'header', () => latin1('xar!\0\x1c\0\x01', 28)),
  by('nar', 'nix-store', 'nix-store --dump a.txt'),
  hand('nar', 'a file', () => latin1('\r\0\0\0\0\0\0\0nix-archive-1\0\0\0\x01\0\0\0\0\0\0\0(\0\0\0\0\0\0\0')),
  hand('rpm', 'lead', () => latin1('\xed\xab\xee\xdb\x03\0', 96)),
  hand('beam', 'form', () => latin1('FOR1\0\0\0\x04BEAM')),
  hand('pdf', 'with a packed stream', () => latin1('%PDF-1.5\n1 0 obj <</Filter/FlateDecode>>stream\n')),
  hand('pdf', 'without packed streams', () => latin1('%PDF-2.0\n1 0 obj <<>>\n')),
  hand('png', 'signature and header', () => latin1('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 33)),
  by('git-pack', 'git', 'git init -q g && cd g && git pack-objects --stdout -q </dev/null'),
  hand('ocaml', 'cmt', () => latin1('Caml1999T035\x84\x95\xa6\xbd', 40)),
  hand('ocaml', 'cmi', () => latin1('Caml1999I033')),
  ...['\x78\x9c', '2BZh9', 'Z\xe0\0', 'Z\x01\0', '1\x78\xda', '0X\n'].map((record) =>
    hand('rdb', record, () => latin1(`\0\0\x01\x02${record}`, 99), 'R/base.rdb'),
  ),
  hand('pyinstaller-modules', 'header', () => latin1('PYZ\0\xa7\x0d\x0d\x0a\0\0\x01\0', 512)),
  hand('sphinx-inventory', 'header', () => latin1('# Sphinx inventory version 2\n# Project: x\n')),
  by('git-object', 'python3', gitObject, `.git/${objectName}`),
  by('lzma', 'xz', 'xz --format=lzma -c a.txt', 'a.txt.lzma'),
  by('lzma', 'xz', 'xz --format=lzma -9e -c a.txt', 'a.lzma'),
  by('compress', 'compress', 'compress -fc a.txt', 'a.txt.Z'),
  by('brotli', 'brotli', 'brotli -c a.txt', 'share/a.js.br'),
];
