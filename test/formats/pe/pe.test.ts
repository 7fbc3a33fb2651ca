import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planPe, readPe } from '../../../src/formats/pe/pe.ts';
import type { BinaryFacts } from '../../../src/formats/ranges.ts';
import { nb10, rsds, writePe } from '../../support/peWriter.ts';
import { needs } from '../../support/programs.ts';
import { streamedReader, textAt, wholeReader } from '../../support/rangeReaders.ts';

const PDB = 'C:\\Users\\alice\\a.pdb';
const CODEVIEW = 2;

function facts(bytes: Uint8Array): BinaryFacts {
  const read = readPe(wholeReader(bytes));
  if (read === null) throw new Error('no PE header');
  return read;
}

const named = (bytes: Uint8Array): string[] =>
  facts(bytes).fields.map((field) => `${field.carrier} ${field.name} ${textAt(bytes, field)}`);

describe.each([{ wide: true }, { wide: false }])('PE, 64 bit: $wide', ({ wide }) => {
  const recipe = { wide, debug: [{ type: CODEVIEW, data: rsds(PDB) }] };

  it.each(['both', 'address', 'offset'] as const)('the PDB path is a field, placed by %s', (placed) => {
    const bytes = writePe({ ...recipe, placed });
    expect(named(bytes)).toEqual([`pdb PDB path ${PDB}`]);
    expect(facts(bytes)).toMatchObject({ format: 'pe', faults: [] });
  });

  it('the path of the older form is a field too, and other debug data are none', () => {
    const debug = [
      { type: 13, data: rsds('not CodeView') },
      { type: CODEVIEW, data: nb10(PDB) },
      { type: CODEVIEW, data: rsds('') },
    ];
    const bytes = writePe({ wide, debug });
    expect(named(bytes)).toEqual([`pdb PDB path ${PDB}`]);
    expect(facts(bytes).faults).toEqual([]);
  });

  it('data at two places, by address and by file offset, give two fields', () => {
    const bytes = writePe({
      ...recipe,
      sections: [{ name: 'other', bytes: rsds('/home/alice/b.pdb'.padEnd(200, '\0')) }],
    });
    const other = facts(bytes).sections.find(({ name }) => name === 'other')?.offset ?? 0;
    const entry = facts(bytes).sections[0]?.offset ?? 0;
    new DataView(bytes.buffer).setUint32(entry + 24, other, true);
    new DataView(bytes.buffer).setUint32(entry + 16, 200, true);
    expect(named(bytes)).toEqual(['pdb PDB path /home/alice/b.pdb', `pdb PDB path ${PDB}`]);
  });

  it('sections with long names are named, and .zdebug ones are packed', () => {
    const section = { name: '.zdebug_info', bytes: new Uint8Array(20) };
    const read = facts(
      writePe({ ...recipe, sections: [{ name: '.text', bytes: new Uint8Array(9) }, section] }),
    );
    expect(read.sections.map(({ name, compressed }) => `${name} ${compressed}`)).toEqual([
      '.rdata null',
      '.text null',
      '.zdebug_info zdebug',
    ]);
    expect(read.faults).toEqual([]);
  });

  it('an embedded PDB is a packed section', () => {
    const data = Buffer.concat([Buffer.from('MPDB'), Buffer.alloc(40, 1)]);
    const read = facts(writePe({ wide, debug: [{ type: 17, data }] }));
    expect(read.sections.at(-1)).toMatchObject({ name: 'embedded PDB', size: 44, compressed: 'mpdb' });
    const wrong = facts(writePe({ wide, debug: [{ type: 17, data: Buffer.alloc(44) }] }));
    expect(wrong.faults).toMatchObject([{ kind: 'corrupt', detail: 'embedded PDB without its signature' }]);
  });

  it.each([0, 9000])(
    'from what a stream keeps, the facts are the same; filler behind the directory: %i',
    (gap) => {
      const bytes = writePe({ ...recipe, fillerBefore: 3_000_000, fillerBehind: gap });
      expect(readPe(streamedReader(bytes, planPe, 2048, 16))).toEqual(facts(bytes));
      const near = writePe({ ...recipe, fillerBehind: 3_000_000 });
      expect(readPe(streamedReader(near, planPe, 2048, 16))).toEqual(facts(near));
      expect(facts(near).fields).toHaveLength(1);
    },
  );

  it('data that a stream did not keep are a fault, not silence', () => {
    const bytes = writePe({ ...recipe, fillerBefore: 100_000, fillerBehind: 6_000_000 });
    const read = readPe(streamedReader(bytes, planPe, 2048, 16));
    expect(read?.faults).toMatchObject([{ kind: 'unavailable' }]);
  });

  it('a directory outside the sections is a fault, one in a section that was split off is none', () => {
    const bytes = writePe(recipe);
    const table = 128 + 24 + (wide ? 112 : 96) + 128;
    const view = new DataView(bytes.buffer);
    view.setUint32(table + 12, 0x7000_0000, true);
    expect(facts(bytes).faults).toMatchObject([{ detail: 'debug directory outside the sections' }]);
    const split = writePe(recipe);
    new DataView(split.buffer).setUint32(table + 16, 0, true);
    expect(facts(split)).toMatchObject({ fields: [], faults: [] });
  });

  it('a file cut short is a fault wherever it is cut', () => {
    const bytes = writePe({ ...recipe, sections: [{ name: 'big', bytes: new Uint8Array(20_000) }] });
    for (const end of [160, 300, 450, 600, 1100, bytes.length - 10_000]) {
      expect(facts(bytes.slice(0, end)).faults, `${end}`).not.toEqual([]);
    }
  });
});

describe('what is no PE file', () => {
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['MZ alone', Buffer.from('MZ')],
    ['a DOS program', writePe({ wide: true }).fill(0, 128, 132)],
    ['a header outside the file', writePe({ wide: true }).fill(0xff, 60, 64)],
  ])('%s', (_, bytes) => {
    expect(readPe(wholeReader(bytes))).toBeNull();
    expect(planPe(bytes, bytes.length)).toEqual([]);
  });
});

it('whatever the bytes are, nothing is thrown and what is named lies in the file', () => {
  const debug = [
    { type: CODEVIEW, data: rsds(PDB) },
    { type: 17, data: Buffer.from('MPDBxxxxyyyy') },
  ];
  const whole = writePe({
    wide: true,
    debug,
    sections: [{ name: '.zdebug_abbrev', bytes: Buffer.alloc(30) }],
  });
  const damage = fc.array(fc.tuple(fc.nat(1100), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), { maxLength: 12 });
  fc.assert(
    fc.property(damage, fc.integer({ min: 64, max: whole.length }), (places, end) => {
      const bytes = whole.slice(0, end);
      for (const [at, value] of places) if (at < end) bytes[at] = value;
      const read = readPe(wholeReader(bytes));
      for (const { offset, size } of read?.sections ?? []) expect(offset + size).toBeLessThanOrEqual(end);
      for (const { offset, length } of read?.fields ?? []) {
        expect(offset + (length ?? 0)).toBeLessThanOrEqual(end);
      }
      readPe(streamedReader(bytes, planPe, 300, 16));
    }),
  );
});

describe.skipIf(!needs('python3'))('launchers that pip carries', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pe-'));
  let programs: string[] = [];

  beforeAll(() => {
    const find =
      'import glob, os, sys\n' +
      'try:\n from pip._vendor import distlib\n print("\\n".join(glob.glob(os.path.join(os.path.dirname(distlib.__file__), "*.exe"))))\n' +
      'except ImportError: pass\n';
    writeFileSync(join(folder, 'find.py'), find);
    programs = execFileSync('python3', [join(folder, 'find.py')], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '');
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('name their PDB file and have no fault', () => {
    for (const program of programs) {
      const bytes = readFileSync(program);
      expect(facts(bytes).faults, program).toEqual([]);
      expect(named(bytes), program).toEqual([expect.stringMatching(/^pdb PDB path [A-Z]:\\.*\.pdb$/)]);
      expect(readPe(streamedReader(bytes, planPe, 4096, 16)), program).toEqual(facts(bytes));
    }
  });
});
