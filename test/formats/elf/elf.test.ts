import { describe, expect, it } from 'vitest';
import { planElf, readElf } from '../../../src/formats/elf/elf.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import type { BinaryFacts } from '../../../src/formats/ranges.ts';
import { writeElf } from '../../support/elfWriter.ts';
import type { ElfRecipe } from '../../support/elfWriter.ts';
import { streamedReader, textAt, wholeReader } from '../../support/rangeReaders.ts';

const TAGS = [
  [1, 'DT_NEEDED', 'needed'],
  [14, 'DT_SONAME', 'soname'],
  [15, 'DT_RPATH', 'rpath'],
  [29, 'DT_RUNPATH', 'runpath'],
  [0x6ffffefa, 'DT_CONFIG', 'config'],
  [0x6ffffefb, 'DT_DEPAUDIT', 'audit'],
  [0x6ffffefc, 'DT_AUDIT', 'audit'],
  [0x7ffffffd, 'DT_AUXILIARY', 'filter'],
  [0x7ffffffe, 'DT_USED', 'needed'],
  [0x7fffffff, 'DT_FILTER', 'filter'],
] as const;

const CLASSES = [
  { wide: true, big: false },
  { wide: true, big: true },
  { wide: false, big: false },
  { wide: false, big: true },
];

function facts(bytes: Uint8Array): BinaryFacts {
  const read = readElf(wholeReader(bytes));
  if (read === null) throw new Error('no ELF header');
  return read;
}

const named = (bytes: Uint8Array): string[] =>
  facts(bytes).fields.map((field) => `${field.carrier} ${field.name} ${textAt(bytes, field)}`);

const everyTag: ElfRecipe['strings'] = TAGS.map(([tag, name]) => [tag, `/home/u/${name}`]);
const expected = [
  'interp PT_INTERP /home/u/ld.so',
  ...TAGS.map(([, name, carrier]) => `${carrier} ${name} /home/u/${name}`),
];

describe.each(CLASSES)('ELF, 64 bit: $wide, big endian: $big', (kind) => {
  const recipe: ElfRecipe = { ...kind, strings: everyTag, interpreter: '/home/u/ld.so' };

  it('every tag that names a string becomes a field', () => {
    const bytes = writeElf(recipe);
    expect(named(bytes)).toEqual(expected);
    expect(facts(bytes).faults).toEqual([]);
  });

  it('fields are found without section headers', () => {
    const bytes = writeElf({ ...recipe, sectionHeaders: false });
    expect(named(bytes)).toEqual(expected);
    expect(facts(bytes)).toMatchObject({ faults: [], sections: [] });
  });

  it('fields are found without program headers', () => {
    const bytes = writeElf({ ...recipe, programHeaders: false });
    expect(named(bytes)).toEqual(expected.slice(1));
    expect(facts(bytes).faults).toEqual([]);
  });

  it('counts that do not fit the header are read from the first section header', () => {
    const bytes = writeElf({ ...recipe, extendedNumbering: true });
    expect(named(bytes)).toEqual(expected);
    expect(facts(bytes).faults).toEqual([]);
    expect(facts(bytes).sections.map(({ name }) => name)).toEqual(['.dynstr', '.dynamic', '.shstrtab']);
  });

  it('program headers of an odd size are followed and are a fault', () => {
    const bytes = writeElf({ ...recipe, segmentStride: 8 });
    expect(named(bytes)).toEqual(expected);
    expect(facts(bytes).faults).toMatchObject([{ kind: 'corrupt' }]);
  });

  it('tells packed sections by flag and by name', () => {
    const word = (value: number): Uint8Array => {
      const b = Buffer.alloc(32);
      if (kind.big) b.writeUInt32BE(value);
      else b.writeUInt32LE(value);
      return b;
    };
    const bytes = writeElf({
      ...recipe,
      sections: [
        { name: '.debug_info', bytes: word(1), flags: 0x800 },
        { name: '.debug_str', bytes: word(2), flags: kind.wide ? 0x8000_0000_0000_0800n : 0x800 },
        { name: '.debug_line', bytes: word(7), flags: 0x800 },
        { name: '.zdebug_str', bytes: word(0) },
        { name: '.gnu.lto_main.1', bytes: word(0) },
        { name: '.llvm.lto', bytes: word(0) },
        { name: '.gnu_debugdata', bytes: word(0) },
        { name: '.rodata', bytes: word(1) },
        { name: '.gnu.lto_empty', bytes: new Uint8Array(0) },
      ],
    });
    const packed = facts(bytes).sections.filter(({ compressed }) => compressed !== null);
    expect(packed.map(({ name, compressed }) => `${name} ${compressed}`)).toEqual([
      '.debug_info zlib',
      '.debug_str zstd',
      '.debug_line unknown',
      '.zdebug_str zdebug',
      '.gnu.lto_main.1 lto',
      '.llvm.lto bitcode',
      '.gnu_debugdata xz',
    ]);
    expect(facts(bytes).faults).toEqual([]);
  });

  it('a split debug file whose program headers point at nothing is healthy', () => {
    const whole = writeElf({ ...recipe, notInFile: true, filler: 1024 });
    const dynamicAt = facts(writeElf({ ...recipe, filler: 1024 })).sections[1]?.offset ?? 0;
    whole.fill(0x11, dynamicAt, dynamicAt + 32 * (kind.wide ? 16 : 8));
    expect(facts(whole).fields.filter(({ name }) => name !== 'PT_INTERP')).toEqual([]);
    expect(facts(whole).faults).toEqual([]);
  });

  it('a split debug file that lost also the section headers of what it points at is healthy', () => {
    const whole = writeElf({ ...kind, strings: everyTag, sectionHeaders: false, filler: 8192 });
    const view = new DataView(whole.buffer);
    const [start, stride] = kind.wide ? [64, 56] : [52, 32];
    const bytesAt = kind.wide ? 32 : 16;
    const cut = (segment: number, bytes: number): void => {
      const at = start + segment * stride + bytesAt;
      if (kind.wide) view.setBigUint64(at, BigInt(bytes), !kind.big);
      else view.setUint32(at, bytes, !kind.big);
    };
    cut(0, 8);
    cut(1, 0);
    // in the same page the dynamic section is still found, and believed as long as it makes sense
    expect(facts(whole)).toMatchObject({ faults: [] });
    expect(named(whole)).toEqual(expected.slice(1));
    whole.fill(0x11, start + 2 * stride, 8192);
    expect(facts(whole)).toMatchObject({ fields: [], faults: [] });
  });

  it('a dynamic section that is there is read even if the section headers deny it', () => {
    expect(named(writeElf({ ...recipe, notInFile: true }))).toEqual(expected);
  });

  it('from what a stream keeps, the facts are the same', () => {
    const bytes = writeElf({ ...recipe, filler: 3 * 1024 * 1024 });
    const streamed = readElf(streamedReader(bytes, planElf, 1024, 16));
    expect(streamed).toEqual(facts(bytes));
    expect(streamed?.faults).toEqual([]);
  });

  it('a stream keeps the dynamic section also when the program headers were moved behind it', () => {
    // more than is kept before the section headers
    const near = writeElf({ ...recipe, filler: 5 * 1024 * 1024 });
    const count = 3;
    const stride = kind.wide ? 56 : 32;
    const start = kind.wide ? 64 : 52;
    const moved = new Uint8Array(near.length + 8 + count * stride);
    moved.set(near);
    moved.copyWithin(near.length + 8, start, start + count * stride);
    const view = new DataView(moved.buffer);
    if (kind.wide) view.setBigUint64(32, BigInt(near.length + 8), !kind.big);
    else view.setUint32(28, near.length + 8, !kind.big);
    expect(readElf(streamedReader(moved, planElf, 300, 16))).toEqual(facts(moved));
    expect(facts(moved).faults).toEqual([]);
    expect(named(moved)).toEqual(expected);
  });

  it('without its plan a stream is a fault and no silence', () => {
    const bytes = writeElf({ ...recipe, filler: 3 * 1024 * 1024 });
    const streamed = readElf(streamedReader(bytes, () => [], 1024, 16));
    expect(streamed?.faults).toContainEqual(expect.objectContaining({ kind: 'unavailable' }));
  });
});

describe('two readers cannot see two contents', () => {
  const recipe: ElfRecipe = {
    wide: true,
    big: false,
    strings: [
      [29, '/nix/store/a'],
      [29, '/home/u/b'],
    ],
  };
  const intact = writeElf(recipe);
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);
  const runpaths = (bytes: Uint8Array): string[] =>
    facts(bytes)
      .fields.map((field) => textAt(bytes, field))
      .toSorted();
  const dynamicAt = facts(intact).sections.find(({ name }) => name === '.dynamic')?.offset ?? 0;

  it('a tag given twice counts twice', () => {
    expect(runpaths(intact)).toEqual(['/home/u/b', '/nix/store/a']);
  });

  it('a dynamic section by address and another by file offset are both read', () => {
    const bytes = intact.slice();
    // PT_DYNAMIC is the second program header: its file offset skips an entry, its address does not
    view(bytes).setBigUint64(64 + 56 + 8, BigInt(dynamicAt + 16), true);
    view(bytes).setBigUint64(40, 0n, true);
    expect(runpaths(bytes)).toEqual(['/home/u/b', '/nix/store/a']);
  });

  it('a dynamic section is read to its end even if its segment claims no bytes', () => {
    const bytes = intact.slice();
    view(bytes).setBigUint64(64 + 56 + 32, 0n, true);
    view(bytes).setBigUint64(40, 0n, true);
    expect(runpaths(bytes)).toEqual(['/home/u/b', '/nix/store/a']);
  });

  it('string tables of program and section headers are both followed where they differ', () => {
    const bytes = intact.slice();
    const sectionsAt = Number(view(bytes).getBigUint64(40, true));
    const at = sectionsAt + 64 + 24;
    view(bytes).setBigUint64(at, view(bytes).getBigUint64(at, true) + 1n, true);
    expect(runpaths(bytes)).toEqual(['/home/u/b', '/nix/store/a', 'home/u/b', 'nix/store/a']);
  });
});

describe('what is no healthy ELF', () => {
  const recipe: ElfRecipe = { wide: true, big: false, strings: [[29, '/home/u/b']], interpreter: '/ld' };
  const intact = writeElf(recipe);
  const broken = (change: (view: DataView) => void): BinaryFacts => {
    const bytes = intact.slice();
    change(new DataView(bytes.buffer));
    return facts(bytes);
  };

  it.each([
    ['other bytes', new TextEncoder().encode('hello world '.repeat(20))],
    ['magic alone', intact.slice(0, 4)],
    ['a cut header', intact.slice(0, 63)],
    ['class 3', intact.map((b, k) => (k === 4 ? 3 : b))],
    ['byte order 0', intact.map((b, k) => (k === 5 ? 0 : b))],
    ['nothing', new Uint8Array(0)],
  ])('%s: just bytes', (_, bytes) => {
    expect(readElf(wholeReader(bytes))).toBeNull();
  });

  it.each<[string, (view: DataView) => void]>([
    ['program headers far outside', (v) => v.setBigUint64(32, 1n << 62n, true)],
    ['section headers far outside', (v) => v.setBigUint64(40, (1n << 64n) - 1n, true)],
    [
      '2^64 sections',
      (v) => {
        v.setUint16(60, 0, true);
        v.setBigUint64(Number(v.getBigUint64(40, true)) + 32, (1n << 64n) - 1n, true);
      },
    ],
    [
      '2^32 program headers',
      (v) => {
        v.setUint16(56, 0xffff, true);
        v.setUint32(Number(v.getBigUint64(40, true)) + 44, 0xffff_ffff, true);
      },
    ],
    ['tiny program headers', (v) => v.setUint16(54, 8, true)],
    ['tiny section headers', (v) => v.setUint16(58, 8, true)],
    ['names index outside', (v) => v.setUint16(62, 77, true)],
    ['interpreter outside', (v) => v.setBigUint64(64 + 2 * 56 + 8, 1n << 40n, true)],
    ['dynamic section outside', (v) => v.setBigUint64(64 + 56 + 8, 1n << 40n, true)],
    ['segment mapped nowhere', (v) => v.setBigUint64(64 + 16, 1n << 60n, true)],
    ['a section outside', (v) => v.setBigUint64(Number(v.getBigUint64(40, true)) + 64 + 24, 1n << 40n, true)],
  ])('%s: a fault, and what can be read is read', (_, change) => {
    const { faults, fields } = broken(change);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every(({ kind }) => kind === 'corrupt')).toBe(true);
    expect(fields.length).toBeGreaterThan(0);
  });

  it('cut anywhere: a fault', () => {
    for (let length = 64; length < intact.length; length += 1) {
      const read = readElf(wholeReader(intact.slice(0, length)));
      expect(read?.faults.length, `cut at ${length}`).toBeGreaterThan(0);
    }
  });

  it('a read fault at any read is a fault of kind unavailable', () => {
    for (let k = 0; ; k += 1) {
      let reads = 0;
      const whole = wholeReader(intact);
      const read = readElf({
        size: whole.size,
        read: (offset, length) => (reads++ === k ? null : whole.read(offset, length)),
      });
      if (reads <= k) break;
      expect(read?.faults).toContainEqual(expect.objectContaining({ kind: 'unavailable' }));
    }
  });

  it('hundreds of thousands of strings in crossed tables end in a fault, soon', () => {
    const entries = 60_000;
    const at = Math.ceil(intact.length / 8) * 8;
    const segmentsAt = at + (entries + 6) * 16;
    const grown = new Uint8Array(segmentsAt + 12 * 56);
    grown.set(intact);
    const view = new DataView(grown.buffer);
    const entry = (k: number, tag: number, value: number): void => {
      view.setBigUint64(at + k * 16, BigInt(tag), true);
      view.setBigUint64(at + k * 16 + 8, BigInt(value), true);
    };
    for (let k = 0; k < 4; k += 1) entry(k, 5, 0x1000 + k);
    for (let k = 4; k < entries; k += 1) entry(k, 1, k % 8);
    // eight segments that map the same addresses to other places, four dynamic sections
    view.setBigUint64(32, BigInt(segmentsAt), true);
    view.setUint16(56, 12, true);
    for (let k = 0; k < 12; k += 1) {
      const segment = segmentsAt + k * 56;
      view.setUint32(segment, k < 8 ? 1 : 2, true);
      view.setBigUint64(segment + 8, BigInt(k < 8 ? k * 16 : at + k * 16), true);
      view.setBigUint64(segment + 16, BigInt(k < 8 ? 0x1000 : 0x1000 + at), true);
      view.setBigUint64(segment + 32, BigInt(k < 8 ? grown.length - k * 16 : entries * 16), true);
    }
    const started = performance.now();
    const { fields, faults } = facts(grown);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(fields.length).toBeGreaterThan(0);
    expect(faults.map(({ detail }) => detail)).toContain(`more than ${LIMITS.binaryFields} fields`);
  });
});
