import { execFileSync } from 'node:child_process';
import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMBEDDED_HEADER_BYTES, EMBEDDED_MAGICS, sniffEmbedded } from '../../src/formats/embedded.ts';
import { startsDeflate } from '../../src/formats/deflateHeader.ts';
import { needs } from '../support/programs.ts';
import { filter, sample } from './compression/support.ts';

const WRITERS: readonly (readonly [string, string])[] = [
  ['xz', 'xz -0'],
  ['xz', 'xz -9e --check=sha256'],
  ['zstd', 'zstd -q -1'],
  ['zstd', 'zstd -q -19 --long'],
  ['gzip', 'gzip -1'],
  ['gzip', 'gzip -9n'],
  ['bzip2', 'bzip2 -1'],
  ['bzip2', 'bzip2 -9'],
  ['lz4', 'lz4 -q -1'],
  ['lz4', 'lz4 -q -9 -BD -B4 --content-size'],
  ['lz4', 'lz4 -q -l'],
  ['lzip', 'lzip -1'],
];

/** Finds the stream as the search does: by a pattern, from which the start follows. */
function find(file: Uint8Array, from: number): string | null {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  for (const { bytes: pattern, before, kind } of EMBEDDED_MAGICS) {
    const at = bytes.indexOf(pattern, from + before) - before;
    if (at !== from) continue;
    expect(sniffEmbedded(bytes, at, Math.min(EMBEDDED_HEADER_BYTES, bytes.length - at))).toBe(kind);
    return kind;
  }
  return null;
}

describe('streams in the middle of a file', () => {
  for (const [kind, line] of WRITERS) {
    const [program = '', ...args] = line.split(' ');
    it.skipIf(!needs(program))(`${kind} by ${line}`, () => {
      for (const data of [Buffer.from('a'), Buffer.alloc(2000, 'text'), sample(40_000)]) {
        const stream = filter(data, program, ...args);
        expect(find(Buffer.concat([Buffer.alloc(777, 'code'), stream, Buffer.alloc(9)]), 777)).toBe(kind);
        expect(find(Buffer.concat([Buffer.alloc(777, 'code'), stream]), 777)).toBe(kind);
      }
    });
  }

  it('gzip with a name, an extra field and a header CRC', () => {
    const body = deflateRawSync(sample(5000));
    const head = (flags: number, fields: string): Buffer =>
      Buffer.concat([
        Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3]),
        Buffer.from(fields, 'latin1'),
        body,
      ]);
    for (const [flags, fields] of [
      [0x08, 'a.txt\0'],
      [0x1e, '\x03\0abcname\0comment\0\0\0'],
      [0x08, `${'n'.repeat(4000)}\0`],
    ] as const) {
      expect(sniffEmbedded(head(flags, fields), 0, 9999)).toBe('gzip');
    }
    expect(sniffEmbedded(head(0x08, 'a.txt'), 0, 20)).toBe(null);
  });

  it.skipIf(!needs('python3'))('cpio, and a squashfs superblock', () => {
    const cpio = Buffer.from(`070701${'0'.repeat(88)}00000006${'0'.repeat(8)}a/b.c\0`, 'latin1');
    expect(find(Buffer.concat([Buffer.alloc(512), cpio]), 512)).toBe('cpio');
    const squashfs = Buffer.alloc(96);
    squashfs.write('hsqs', 'latin1');
    squashfs.writeUInt32LE(131_072, 12);
    squashfs.writeUInt16LE(6, 20);
    squashfs.writeUInt16LE(17, 22);
    squashfs.writeUInt16LE(4, 28);
    expect(find(Buffer.concat([Buffer.alloc(512), squashfs]), 512)).toBe('squashfs');
    squashfs.writeUInt16LE(16, 22);
    expect(sniffEmbedded(squashfs, 0, 96)).toBe(null);
    squashfs.writeUInt16LE(3, 28);
    expect(sniffEmbedded(squashfs, 0, 96)).toBe(null);
    squashfs.writeUInt16LE(17, 34);
    expect(sniffEmbedded(squashfs, 0, 96)).toBe('squashfs');
    squashfs.write('sqsh', 'latin1');
    squashfs.writeUInt32BE(3, 26);
    expect(sniffEmbedded(squashfs, 0, 96)).toBe(null);
    squashfs.writeUInt16BE(17, 34);
    expect(sniffEmbedded(squashfs, 0, 96)).toBe('squashfs');
  });
});

describe('what is none', () => {
  it('a magic with random bytes behind it is seldom taken for a stream, and never where a checksum stands', () => {
    const taken = new Map<string, number>();
    let state = 1;
    for (let round = 0; round < 20_000; round += 1) {
      for (const { kind, bytes: pattern, before } of EMBEDDED_MAGICS) {
        const bytes = new Uint8Array(64);
        for (let k = 0; k < bytes.length; k += 1) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          bytes[k] = state >>> 24;
        }
        if (kind === 'bzip2') bytes.set(Buffer.from('BZh9'));
        bytes.set(pattern, before);
        const found = sniffEmbedded(bytes, 0, bytes.length);
        if (found !== null) taken.set(found, (taken.get(found) ?? 0) + 1);
      }
    }
    expect(taken.get('xz') ?? 0).toBe(0);
    expect(taken.get('cpio') ?? 0).toBe(0);
    expect(taken.get('squashfs') ?? 0).toBe(0);
    for (const [kind, count] of taken) expect(count, kind).toBeLessThan(400); // of 20,000;
  });

  it.each([
    ['the magics in a table of magics', '\xfd7zXZ\0\x28\xb5\x2f\xfd\x1f\x8b\x08LZIP\x01hsqs070701BZh91AY&SY'],
    ['xz with a wrong header CRC', '\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x47'],
    ['zstd with a reserved block', '\x28\xb5\x2f\xfd\x04\x48\x07\0\0\0\0'],
    ['zstd with a dictionary', '\x28\xb5\x2f\xfd\x01\x48\x07\x01\0\0\0\0'],
    ['gzip with a reserved block', '\x1f\x8b\x08\0\0\0\0\0\0\x03\x07aaaaaaaaaaaaaa'],
    ['gzip whose stored length has no complement', '\x1f\x8b\x08\0\0\0\0\0\0\x03\x01aaaaaaaaaaaaaa'],
    ['lz4 with a wrong header checksum', '\x04\x22\x4d\x18\x64\x40\xa6aaaa'],
    ['randomised bzip2', `BZh91AY&SY\0\0\0\0\x80aaaaaaaaa`],
    ['cpio without a name', `070701${'0'.repeat(104)}\0\0`],
  ])('%s', (_, text) => {
    const bytes = Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(40, 'a')]);
    for (let at = 0; at < bytes.length; at += 1) {
      expect(sniffEmbedded(bytes, at, bytes.length - at), `at ${at}`).toBe(null);
    }
  });

  it('nothing outside the given bytes is looked at, and nothing throws', () => {
    const stream = gzipSync('text');
    expect(sniffEmbedded(stream, 0, 10)).toBe(null);
    fc.assert(
      fc.property(
        fc.constantFrom(...EMBEDDED_MAGICS),
        fc.uint8Array({ maxLength: 600 }),
        ({ bytes: pattern, before }, rest) => {
          const bytes = Buffer.concat([Buffer.alloc(before, 'BZh9'), pattern, rest]);
          for (let length = 0; length <= bytes.length; length += 1 + (length >> 3)) {
            const alone = sniffEmbedded(bytes.subarray(0, length), 0, length);
            expect(sniffEmbedded(Buffer.concat([Buffer.alloc(5), bytes]), 5, length)).toBe(alone);
          }
        },
      ),
    );
  });
});

describe('the start of deflate data', () => {
  it('is legal whatever was compressed how', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 0, max: 9 }), (data, level) => {
        expect(startsDeflate(deflateRawSync(data, { level }), 0)).toBe(true);
      }),
    );
    for (let seed = 1; seed < 50; seed += 1) {
      expect(startsDeflate(deflateRawSync(sample(3000, seed)), 0)).toBe(true);
    }
  });

  it('has counts that exist, and a code of lengths that is neither too full nor too empty', () => {
    const dynamic = deflateRawSync(sample(3000));
    expect(((dynamic[0] ?? 0) >> 1) & 3).toBe(2);
    for (const change of [
      { at: 0, bits: 0xf0 }, // 257 + 30 and more literal codes
      { at: 1, bits: 0x1e }, // 1 + 30 and more distance codes
      { at: 3, bits: 0xff }, // other lengths
    ]) {
      const wrong = Buffer.from(dynamic);
      wrong[change.at]! |= change.bits;
      expect(startsDeflate(wrong, 0), `at ${change.at}`).toBe(false);
    }
    expect(startsDeflate(Buffer.concat([dynamic.subarray(0, 2), Buffer.alloc(20)]), 0)).toBe(false);
  });

  it.skipIf(!needs('zip'))('by another program too', () => {
    const zip = execFileSync('sh', ['-c', 'cat /etc/passwd | zip -9 -q - - | cat'], { maxBuffer: 1 << 26 });
    expect(startsDeflate(zip, 30 + zip.readUInt16LE(26) + zip.readUInt16LE(28))).toBe(true);
  });
});
