import { constants, deflateSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elfSections } from '../../../src/formats/elf/compressed.ts';
import { readElf } from '../../../src/formats/elf/elf.ts';
import type { RangeReader } from '../../../src/formats/ranges.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { BitWriter } from '../../support/bitWriter.ts';
import { writeElf } from '../../support/elfWriter.ts';
import { wholeReader } from '../../support/rangeReaders.ts';

const SHF_COMPRESSED = 0x800;
const TEXT = Buffer.from('/home/alice/x/a.c and more of it, '.repeat(300));
const KINDS = [
  { wide: true, big: false },
  { wide: true, big: true },
  { wide: false, big: false },
  { wide: false, big: true },
];
type Kind = (typeof KINDS)[number];
const LITTLE = { wide: true, big: false };

/** A section as its flags announce it: Chdr, then the stream. */
function flagged({ wide, big }: Kind, type: number, size: number, stream: Uint8Array): Uint8Array {
  const head = Buffer.alloc(wide ? 24 : 12);
  const u32 = (value: number, at: number): number =>
    big ? head.writeUInt32BE(value, at) : head.writeUInt32LE(value, at);
  u32(type, 0);
  u32(size, wide ? (big ? 12 : 8) : 4);
  return Buffer.concat([head, stream]);
}

function zdebug(size: number, stream: Uint8Array): Uint8Array {
  const head = Buffer.from('ZLIB\0\0\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(size, 8);
  return Buffer.concat([head, stream]);
}

const elfOf = (kind: Kind, name: string, bytes: Uint8Array, flags = 0): Uint8Array =>
  writeElf({ ...kind, sections: [{ name, bytes, flags }] });

interface Opened {
  readonly name: string;
  readonly text: string;
  readonly offset: number | null;
  readonly code: string | null;
}

/** Members with their content and the error it ended in, and faults, as texts. */
async function opened(
  bytes: Uint8Array,
  reader: RangeReader = wholeReader(bytes),
): Promise<(Opened | string)[]> {
  const items: (Opened | string)[] = [];
  for await (const item of elfSections(reader, readElf(wholeReader(bytes))?.sections ?? [])) {
    if (item.item === 'fault') {
      items.push(`${item.reason} ${item.member}: ${item.detail}`);
      continue;
    }
    expect(item).toMatchObject({ type: 'file', section: true, stored: false, target: '' });
    const chunks: Uint8Array[] = [];
    let code: string | null = null;
    try {
      for await (const chunk of item.contents ?? []) chunks.push(chunk.slice());
    } catch (error) {
      if (!(error instanceof NarScanError)) throw error;
      code = error.code;
    }
    items.push({
      name: item.name,
      offset: item.offset,
      code,
      text: Buffer.concat(chunks).toString('latin1'),
    });
  }
  return items;
}

const whole = (name: string): unknown => ({
  name,
  text: TEXT.toString(),
  code: null,
  offset: expect.any(Number),
});

describe.each(KINDS)(
  'sections that are compressed by their flags, 64 bit: $wide, big endian: $big',
  (kind) => {
    it.each([
      ['zlib', 1, deflateSync(TEXT)],
      ['zstd', 2, zstdCompressSync(TEXT)],
    ])('%s is unpacked, and the offset leads to the stream', async (_, type, stream) => {
      const bytes = elfOf(kind, '.debug_str', flagged(kind, type, TEXT.length, stream), SHF_COMPRESSED);
      const [item] = await opened(bytes);
      expect(item).toEqual(whole('.debug_str'));
      const at = (item as Opened).offset ?? 0;
      expect(Buffer.from(bytes).subarray(at, at + stream.length)).toEqual(stream);
    });

    it.each([1, 2])('type %i: a size that is announced wrong is a fault behind the content', async (type) => {
      const stream = type === 1 ? deflateSync(TEXT) : zstdCompressSync(TEXT);
      for (const size of [TEXT.length - 1, TEXT.length + 1, 0]) {
        const bytes = elfOf(kind, '.debug_str', flagged(kind, type, size, stream), SHF_COMPRESSED);
        expect(await opened(bytes)).toMatchObject([{ text: TEXT.toString(), code: 'CONTAINER_CORRUPT' }]);
      }
    });

    it('an unknown type, and a header that does not fit, are faults', async () => {
      const unknown = elfOf(kind, '.debug_str', flagged(kind, 9, 1, TEXT), SHF_COMPRESSED);
      expect(await opened(unknown)).toEqual([
        'unsupported .debug_str: packed section: compressed in an unknown way',
      ]);
      const short = elfOf(kind, '.debug_str', flagged(kind, 1, 1, TEXT).subarray(0, 11), SHF_COMPRESSED);
      expect(await opened(short)).toEqual([
        'corrupt .debug_str: packed section: shorter than its compression header',
      ]);
    });
  },
);

describe('sections that are compressed by their names', () => {
  it('.zdebug in either byte order of the file', async () => {
    for (const kind of KINDS) {
      const bytes = elfOf(kind, '.zdebug_str', zdebug(TEXT.length, deflateSync(TEXT)));
      expect(await opened(bytes)).toEqual([whole('.zdebug_str')]);
    }
  });

  it('.zdebug without its magic is not packed', async () => {
    expect(await opened(elfOf(LITTLE, '.zdebug_str', TEXT))).toEqual([]);
    expect(await opened(elfOf(LITTLE, '.zdebug_str', Buffer.from('ZLIB')))).toEqual([]);
  });

  it('intermediate code of GCC in zstd and in zlib', async () => {
    for (const stream of [zstdCompressSync(TEXT), deflateSync(TEXT), deflateSync(TEXT, { level: 1 })]) {
      expect(await opened(elfOf(LITTLE, '.gnu.lto_main.2.ff', stream))).toEqual([
        whole('.gnu.lto_main.2.ff'),
      ]);
    }
  });

  it('metadata of a Rust library, plain and in frames of snappy', async () => {
    const plain = Buffer.from('rust\0\0\0\x0a\x72\0\0\0\0\0\0\0rust\0\0\0\x0a', 'latin1');
    expect(await opened(elfOf(LITTLE, '.rustc', plain))).toEqual([]);
    // a chunk that holds the letter x
    const frames = Buffer.from('rust\0\0\0\x06\xff\x06\0\0sNaPpY\x01\x05\0\0\x50\x3d\xaa\x61x', 'latin1');
    for (const filling of [0, 7]) {
      const section = Buffer.concat([frames, Buffer.alloc(filling)]);
      expect(await opened(elfOf(LITTLE, '.rustc', section))).toMatchObject([{ text: 'x', code: null }]);
    }
    const more = Buffer.concat([frames, Buffer.from('\0\0\0\0more')]);
    expect(await opened(elfOf(LITTLE, '.rustc', more))).toMatchObject([
      { text: 'x', code: 'COMPRESSION_TRAILING' },
    ]);
  });

  it('LLVM bitcode gives its strings, and what only bears its name nothing', async () => {
    const inner = (bits: BitWriter): unknown => bits.record(4, 8, [...Buffer.from('/home/alice/x')]);
    const bytes = new BitWriter().fixed(32, 0xdec0_4342).block(2, 8, 4, inner).bytes;
    expect(await opened(elfOf(LITTLE, '.llvmbc', bytes))).toMatchObject([
      { text: '/home/alice/x\0', code: null },
    ]);
    expect(await opened(elfOf(LITTLE, '.llvmbc', Buffer.from([0])))).toEqual([]);
    expect(await opened(elfOf(LITTLE, '.llvmbc', Buffer.from('xar!\0\x1c')))).toEqual([
      'unsupported .llvmbc: packed section: an archive of bitcode was not opened',
    ]);
  });

  it('what GCC does not pack is passed over, also if it begins as a zlib stream does', async () => {
    expect(await opened(elfOf(LITTLE, '.gnu.lto_.opts', Buffer.from("'-fno-openmp'")))).toEqual([]);
    expect(await opened(elfOf(LITTLE, '.gnu.lto_.symtab.ff', Buffer.from('x^ is no symbol\0')))).toEqual([]);
    expect(await opened(elfOf(LITTLE, '.gnu.lto_main.ff', Buffer.from('hCommon text')))).toEqual([]);
    expect(await opened(elfOf(LITTLE, '.gnu.lto_main.ff', Buffer.from('x')))).toEqual([]);
  });
});

describe('several streams in one section', () => {
  const half = TEXT.length / 2;
  const parts = [TEXT.subarray(0, half), TEXT.subarray(half)].map((part) => deflateSync(part));

  it('are read one after another, as binutils does', async () => {
    const bytes = elfOf(LITTLE, '.zdebug_str', zdebug(TEXT.length, Buffer.concat(parts)));
    expect(await opened(bytes)).toEqual([whole('.zdebug_str')]);
  });

  it('something else behind the stream is a fault', async () => {
    const stream = Buffer.concat([...parts, Buffer.from('something else')]);
    const bytes = elfOf(LITTLE, '.zdebug_str', zdebug(TEXT.length, stream));
    expect(await opened(bytes)).toMatchObject([{ text: TEXT.toString(), code: 'COMPRESSION_CORRUPT' }]);
  });

  it('zeros up to the end of a block are no stream, and what stands behind them is a fault', async () => {
    const padded = Buffer.concat([...parts, Buffer.alloc(500)]);
    const sound = elfOf(LITTLE, '.zdebug_str', zdebug(TEXT.length, padded));
    expect(await opened(sound)).toEqual([whole('.zdebug_str')]);
    const hidden = Buffer.concat([padded, Buffer.from('x')]);
    const bytes = elfOf(LITTLE, '.zdebug_str', zdebug(TEXT.length, hidden));
    expect(await opened(bytes)).toMatchObject([{ text: TEXT.toString(), code: 'COMPRESSION_CORRUPT' }]);
  });

  it('very many of them are a limit that all sections share', async () => {
    const empty = deflateSync('');
    const many = Buffer.concat(Array.from({ length: LIMITS.sectionStreams / 2 + 10 }, () => empty));
    const section = { name: '.zdebug_str', bytes: zdebug(0, many) };
    const bytes = writeElf({ ...LITTLE, sections: [section, section] });
    expect(await opened(bytes)).toMatchObject([{ code: null }, { code: 'CONTAINER_LIMIT' }]);
  });
});

describe('damage', () => {
  it('what was unpacked before it is there', async () => {
    let state = 1;
    // nothing of it repeats, so that the streams are as long as the text
    const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16;
    const text = Buffer.from(Array.from({ length: 30_000 }, next));
    const checked = zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    for (const [name, bytes, flags] of [
      ['.debug_a', flagged(LITTLE, 1, text.length, deflateSync(text).subarray(0, 20_000)), SHF_COMPRESSED],
      ['.zdebug_b', zdebug(text.length, deflateSync(text).fill(0xff, 20_000)), 0],
      ['.gnu.lto_c', checked.fill(0, checked.length - 4), 0],
    ] as const) {
      const [item] = (await opened(elfOf(LITTLE, name, bytes, flags))) as Opened[];
      expect(item?.code, name).toMatch(/^COMPRESSION_(TRUNCATED|CORRUPT)$/);
      expect(item?.text.length, name).toBeGreaterThan(10_000);
      expect(text.toString('latin1').startsWith(item?.text.slice(0, 19_000) ?? '-'), name).toBe(true);
    }
  });

  it('sections that overlap end the walk with a fault', async () => {
    const bytes = elfOf(LITTLE, '.zdebug_str', zdebug(TEXT.length, deflateSync(TEXT)));
    const [section] =
      readElf(wholeReader(bytes))?.sections.filter(({ compressed }) => compressed !== null) ?? [];
    if (section === undefined) throw new Error('no section');
    const many = Array.from({ length: 1000 }, () => section);
    const items = [];
    for await (const item of elfSections(wholeReader(bytes), many)) items.push(item);
    expect(items.length).toBeLessThan(1000);
    expect(items.at(-1)).toMatchObject({ item: 'fault', reason: 'corrupt' });
  });

  it('a reader that fails at any of its reads gives a fault or an error, never less than that', async () => {
    const sections = [
      {
        name: '.debug_str',
        bytes: flagged(LITTLE, 1, TEXT.length, deflateSync(TEXT)),
        flags: SHF_COMPRESSED,
      },
      { name: '.zdebug_str', bytes: zdebug(TEXT.length, deflateSync(TEXT)) },
      { name: '.gnu.lto_main', bytes: zstdCompressSync(TEXT) },
    ];
    const bytes = writeElf({ ...LITTLE, sections });
    const sound = wholeReader(bytes);
    let reads = 0;
    await opened(bytes, { size: sound.size, read: (at, n) => ((reads += 1), sound.read(at, n)) });
    for (let failing = 1; failing <= reads; failing += 1) {
      let seen = 0;
      const read = (at: number, n: number): Uint8Array | null =>
        (seen += 1) === failing ? null : sound.read(at, n);
      const items = await opened(bytes, { size: sound.size, read });
      const failed = items.filter((item) => typeof item === 'string' || item.code !== null);
      expect(failed.length, `read ${failing}`).toBe(1);
      expect(items.length).toBe(3);
    }
  });

  it('any bytes behind any header end in a result', async () => {
    const names = fc.constantFrom('.zdebug_x', '.gnu.lto_x', '.gnu_debugdata', '.debug_x', '.llvmbc');
    const starts = fc.constantFrom(
      '',
      'ZLIB',
      'x\x9c',
      '\x28\xb5\x2f\xfd',
      'BC\xc0\xde',
      '\x01\0\0\0',
      '\x02\0\0\0',
    );
    await fc.assert(
      fc.asyncProperty(
        names,
        starts,
        fc.uint8Array({ maxLength: 60 }),
        fc.boolean(),
        async (name, start, rest, flag) => {
          const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
          for (const item of await opened(elfOf(LITTLE, name, bytes, flag ? SHF_COMPRESSED : 0))) {
            if (typeof item === 'string') expect(item).toMatch(/^(corrupt|unsupported|unreadable) /);
            else expect(item.name).toBe(name);
          }
        },
      ),
    );
  });
});
