import { execFileSync } from 'node:child_process';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { member, trailer } from '../formats/cpio/writer.ts';
import { archive, entry } from '../formats/tar/writer.ts';
import { directory, file, nar, type NarTree } from './narWriter.ts';
import { needs } from './programs.ts';
import { writeZip } from './zipWriter.ts';

/** Bytes under a name. */
export interface Named {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Something that can stand around a file. */
export interface Wrapping {
  readonly title: string;
  /** `salt` decides what stands beside the file. */
  readonly wrap: (inner: Named, salt: number) => Named;
  /** Whether the file's name is still to be told inside. */
  readonly keepsName: boolean;
}

const filler = (salt: number): Buffer =>
  Buffer.from('all is well. '.repeat(salt % 97).slice(0, salt), 'latin1');

function compressed(title: string, ending: string, compress: (bytes: Buffer) => Buffer): Wrapping {
  return {
    title,
    wrap: ({ name, bytes }) => ({ name: `${name}${ending}`, bytes: compress(bytes) }),
    keepsName: true,
  };
}

function byProgram(program: string, ending: string, args: readonly string[] = ['-c']): readonly Wrapping[] {
  if (!needs(program)) return [];
  return [compressed(program, ending, (bytes) => execFileSync(program, args, { input: bytes }))];
}

function archived(title: string, ending: string, pack: (inner: Named, salt: number) => Buffer): Wrapping {
  return {
    title,
    wrap: (inner, salt) => ({ name: `archive${ending}`, bytes: pack(inner, salt) }),
    keepsName: true,
  };
}

const zipped = ({ name, bytes }: Named, salt: number): Buffer =>
  Buffer.from(
    writeZip([
      { name: 'first', content: filler(salt) },
      { name, content: bytes, method: salt % 3 === 0 ? 0 : 8 },
      { name: 'last', content: filler(salt) },
    ]),
  );

/** A file as its path says, in directories. */
export function below(path: string, leaf: NarTree): readonly (readonly [string, NarTree])[] {
  const [last = '', ...folders] = path.split('/').toReversed();
  return folders.reduce<readonly (readonly [string, NarTree])[]>(
    (entries, folder) => [[folder, directory(...entries)]],
    [[last, leaf]],
  );
}

/** BSD's form, in which names may be long. */
function arMember(name: string, bytes: Buffer): Buffer {
  const size = name.length + bytes.length;
  const header =
    `#1/${name.length}`.padEnd(16) + '0'.padEnd(12) + '0'.padEnd(6) + '0'.padEnd(6) + '644'.padEnd(8);
  const padding = size % 2 === 0 ? '' : '\n';
  return Buffer.concat([
    Buffer.from(`${header}${String(size).padEnd(10)}\`\n${name}`, 'latin1'),
    bytes,
    Buffer.from(padding),
  ]);
}

/** Every wrapping whose writer needs no program, or one that is there. */
export const WRAPPINGS: readonly Wrapping[] = [
  compressed('gzip', '.gz', (bytes) => gzipSync(bytes)),
  compressed('gzip of two members', '.gz', (bytes) =>
    Buffer.concat([gzipSync(bytes.subarray(0, 3)), gzipSync(bytes.subarray(3))]),
  ),
  compressed('zstd', '.zst', (bytes) => zstdCompressSync(bytes)),
  compressed('brotli', '.br', (bytes) => brotliCompressSync(bytes, { params: {} })),
  ...byProgram('xz', '.xz', ['-0c']),
  ...byProgram('bzip2', '.bz2'),
  ...byProgram('lz4', '.lz4', ['-cq']),
  ...byProgram('lzip', '.lz', ['-0c']),
  archived('zip', '.zip', zipped),
  archived('zip behind a script', '.run', (inner, salt) =>
    Buffer.concat([Buffer.from('#!/bin/sh\nexec unpack "$0"\nexit\n'), zipped(inner, salt)]),
  ),
  archived('tar', '.tar', ({ name, bytes }, salt) =>
    archive(entry({ name: 'first' }, filler(salt)), entry({ name }, bytes)),
  ),
  archived('cpio', '.cpio', ({ name, bytes }, salt) =>
    Buffer.concat([
      member('newc', { name: 'first', contents: filler(salt).toString('latin1') }),
      member('newc', { name, contents: bytes.toString('latin1') }),
      trailer('newc'),
    ]),
  ),
  archived('ar', '.a', ({ name, bytes }, salt) =>
    Buffer.concat([Buffer.from('!<arch>\n'), arMember('first', filler(salt)), arMember(name, bytes)]),
  ),
  archived('NAR', '.nar', ({ name, bytes }, salt) =>
    nar(directory(['a', file(filler(salt))], ...below(name, file(bytes)))),
  ),
  {
    title: 'gzip in the middle of a file',
    wrap: ({ bytes }, salt) => ({
      name: 'program',
      bytes: Buffer.concat([filler(salt + 1), gzipSync(bytes), filler(salt)]),
    }),
    keepsName: false,
  },
  {
    title: 'loose git object',
    wrap: ({ bytes }) => {
      const object = Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]);
      return { name: `objects/ab/${'c'.repeat(38)}`, bytes: deflateSync(object) };
    },
    keepsName: false,
  },
];
