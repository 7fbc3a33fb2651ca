import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planMacho, readMacho } from '../../../src/formats/macho/macho.ts';
import type { BinaryFacts } from '../../../src/formats/ranges.ts';
import { writeFat, writeMacho } from '../../support/machoWriter.ts';
import type { MachoRecipe } from '../../support/machoWriter.ts';
import { needs } from '../../support/programs.ts';
import { streamedReader, textAt, wholeReader } from '../../support/rangeReaders.ts';

const COMMANDS = [
  [0xc, 'LC_LOAD_DYLIB', 'macho-dylib', 24],
  [0xd, 'LC_ID_DYLIB', 'macho-dylib', 24],
  [0xe, 'LC_LOAD_DYLINKER', 'macho-dylinker', 12],
  [0xf, 'LC_ID_DYLINKER', 'macho-dylinker', 12],
  [0x10, 'LC_PREBOUND_DYLIB', 'macho-dylib', 20],
  [0x8000_0018, 'LC_LOAD_WEAK_DYLIB', 'macho-dylib', 24],
  [0x8000_001c, 'LC_RPATH', 'macho-rpath', 12],
  [0x8000_001f, 'LC_REEXPORT_DYLIB', 'macho-dylib', 24],
  [0x20, 'LC_LAZY_LOAD_DYLIB', 'macho-dylib', 24],
  [0x8000_0023, 'LC_LOAD_UPWARD_DYLIB', 'macho-dylib', 24],
  [0x27, 'LC_DYLD_ENVIRONMENT', 'macho-dylinker', 12],
] as const;

const recipe = (wide: boolean, big: boolean): MachoRecipe => ({
  wide,
  big,
  strings: COMMANDS.map(([command, name, , head]) => ({ command, head, text: `/Users/u/${name}` })),
  sections: [
    { segment: '__TEXT', name: '__cstring', bytes: Buffer.from('hello') },
    { segment: '__DWARF', name: '__zdebug_str', bytes: Buffer.from('ZLIB....') },
    { segment: '__LLVM', name: '__bitcode', bytes: Buffer.from('BC') },
  ],
});

const expected = COMMANDS.map(([, name, carrier]) => `${carrier} ${name} /Users/u/${name}`);

function facts(bytes: Uint8Array): BinaryFacts {
  const read = readMacho(wholeReader(bytes));
  if (read === null) throw new Error('no Mach-O header');
  return read;
}

const named = (bytes: Uint8Array): string[] =>
  facts(bytes).fields.map((field) => `${field.carrier} ${field.name} ${textAt(bytes, field)}`);

describe.each([
  { wide: true, big: false },
  { wide: true, big: true },
  { wide: false, big: false },
  { wide: false, big: true },
])('Mach-O, 64 bit: $wide, big endian: $big', ({ wide, big }) => {
  const bytes = writeMacho(recipe(wide, big));

  it('every load command that holds a path becomes a field', () => {
    expect(named(bytes)).toEqual(expected);
    expect(facts(bytes).faults).toEqual([]);
  });

  it('sections are named with their segment, and packed ones told', () => {
    const { sections } = facts(bytes);
    expect(sections.map(({ name, compressed }) => `${name} ${compressed}`)).toEqual([
      '__TEXT,__cstring null',
      '__DWARF,__zdebug_str zdebug',
      '__LLVM,__bitcode bitcode',
    ]);
    expect(textAt(bytes, { offset: sections[0]?.offset ?? 0, length: 5 })).toBe('hello');
  });

  it('cut anywhere: a fault', () => {
    for (let length = wide ? 32 : 28; length < bytes.length; length += 1) {
      expect(facts(bytes.slice(0, length)).faults.length, `cut at ${length}`).toBeGreaterThan(0);
    }
  });
});

describe.each([false, true])('fat files, 64 bit: %s', (wide) => {
  const slice = writeMacho(recipe(true, false));
  const fat = writeFat([slice, writeMacho(recipe(false, true))], wide);

  it('every slice is read', () => {
    expect(named(fat)).toEqual([...expected, ...expected]);
    expect(facts(fat).faults).toEqual([]);
  });

  it('from what a stream keeps, the facts are the same', () => {
    const long = writeFat([new Uint8Array([...slice, ...new Uint8Array(3_000_000)]), slice], wide);
    expect(readMacho(streamedReader(long, planMacho, 4096, 16))).toEqual(facts(long));
    expect(facts(long).faults).toEqual([]);
  });

  it('a slice outside the file is a fault', () => {
    expect(facts(fat.slice(0, 9000)).faults.length).toBeGreaterThan(0);
  });

  it('a slice of another kind is legal', () => {
    const archive = writeFat([Buffer.from('!<arch>\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')], wide);
    expect(facts(archive)).toMatchObject({ fields: [], faults: [] });
  });
});

describe('what is no healthy Mach-O', () => {
  const bytes = writeMacho(recipe(true, false));
  const broken = (change: (view: DataView) => void): BinaryFacts => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return facts(copy);
  };

  it('a Java class is just bytes', () => {
    const javaClass = Buffer.from('cafebabe0000004100220a000200030700040c0005000601', 'hex');
    expect(readMacho(wholeReader(javaClass))).toBeNull();
    const preview = Buffer.from('cafebabeffff004101000a000200030700040c0005000601', 'hex');
    expect(readMacho(wholeReader(preview))).toBeNull();
  });

  it.each<[string, (view: DataView) => void]>([
    ['2^32 commands', (v) => v.setUint32(16, 0xffff_ffff, true)],
    ['2^32 bytes of commands', (v) => v.setUint32(20, 0xffff_ffff, true)],
    ['a command of no size', (v) => v.setUint32(36, 0, true)],
    ['a command that is too long', (v) => v.setUint32(36, 0xffff_fff0, true)],
    ['a string outside its command', (v) => v.setUint32(40, 0x1000, true)],
  ])('%s: a fault', (_, change) => {
    expect(broken(change).faults).toMatchObject([{ kind: 'corrupt' }]);
  });
});

describe.skipIf(!needs('llvm-mc'))('real objects', () => {
  it('llvm-mc writes one whose sections are found, without a fault', () => {
    const folder = mkdtempSync(join(tmpdir(), 'macho-'));
    try {
      const source = join(folder, 'a.s');
      writeFileSync(source, '.section __TEXT,__cstring\n.asciz "/Users/u/a.c"\n');
      for (const triple of ['x86_64-apple-macos11', 'arm64-apple-macos11', 'i386-apple-macos10']) {
        const object = join(folder, `${triple}.o`);
        execFileSync('llvm-mc', ['-filetype=obj', '-triple', triple, source, '-o', object]);
        const file = readFileSync(object);
        const read = facts(file);
        expect(read.faults).toEqual([]);
        const strings = read.sections.find(({ name }) => name === '__TEXT,__cstring');
        expect(textAt(file, { offset: strings?.offset ?? 0, length: null })).toBe('/Users/u/a.c');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
