import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { bitcodeStrings, isBitcode, readBitcode } from '../../../src/formats/bitcode/bitcode.ts';
import type { RangeReader } from '../../../src/formats/ranges.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { BitWriter } from '../../support/bitWriter.ts';
import { needs } from '../../support/programs.ts';
import { wholeReader } from '../../support/rangeReaders.ts';

const FIXED = 1;
const VARIABLE = 2;
const CHAR6 = 4;
const MODULE = 8;
const WIDTH = 4;
const CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._';

interface Result {
  readonly strings: readonly string[];
  readonly code: string | null;
}

async function read(reader: RangeReader, offset = 0, length = reader.size - offset): Promise<Result> {
  const chunks: Uint8Array[] = [];
  let code: string | null = null;
  try {
    for await (const chunk of bitcodeStrings(reader, offset, length)) chunks.push(chunk.slice());
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    code = error.code;
  }
  const strings = Buffer.concat(chunks).toString('latin1').split('\0');
  return { strings: strings.filter((text) => text !== ''), code };
}

const magic = (bits = new BitWriter()): BitWriter => bits.fixed(32, 0xdec0_4342);
const codes = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** How a string is written: by an abbreviation or without one. */
type Form = 'plain' | 'seven' | 'eight' | 'pieces' | 'char6';
const ENCODINGS = { seven: [FIXED, 7], eight: [FIXED, 8], pieces: [VARIABLE, 6], char6: [CHAR6, 6] } as const;

function writeString(bits: BitWriter, form: Form, text: string, index: number): void {
  if (form === 'plain') {
    bits.record(WIDTH, 8, codes(text));
    return;
  }
  const [encoding, width] = ENCODINGS[form];
  bits.arrayAbbreviation(WIDTH, 8, encoding, width);
  bits.fixed(WIDTH, 4 + index).variable(6, text.length);
  for (const code of codes(text)) {
    if (form === 'pieces') bits.variable(6, code);
    else bits.fixed(width, form === 'char6' ? CHARACTERS.indexOf(String.fromCharCode(code)) : code);
  }
}

/** A module of strings, whose first bits are moved by a record of another length. */
function moduleOf(texts: readonly (readonly [Form, string])[], shift = 0): Uint8Array {
  const bits = magic().block(2, MODULE, WIDTH, (inner) => {
    inner.record(
      WIDTH,
      1,
      Array.from({ length: shift }, () => 1),
    );
    let defined = 0;
    for (const [form, text] of texts) {
      writeString(inner, form, text, defined);
      if (form !== 'plain') defined += 1;
    }
  });
  return bits.bytes;
}

describe('strings in every form, at every bit', () => {
  it.each(['plain', 'seven', 'eight', 'pieces'] as const)('%s', async (form) => {
    for (let shift = 0; shift < 4; shift += 1) {
      const bytes = moduleOf([[form, '/home/alice/x/a.c']], shift);
      expect(await read(wholeReader(bytes))).toEqual({ strings: ['/home/alice/x/a.c'], code: null });
    }
  });

  it('six bits a character', async () => {
    const bytes = moduleOf([['char6', 'home.alice_Z9']], 1);
    expect(await read(wholeReader(bytes))).toEqual({ strings: ['home.alice_Z9'], code: null });
  });

  it('any strings in any order, and nothing else', async () => {
    const text = (alphabet: string): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...alphabet), minLength: 4, maxLength: 300 });
    const one = fc.oneof(
      fc.tuple(fc.constantFrom<Form>('plain', 'seven', 'eight', 'pieces'), text('/home alice\\x7f-')),
      fc.tuple(fc.constant<Form>('char6'), text(CHARACTERS)),
    );
    await fc.assert(
      // four bits number twelve abbreviations
      fc.asyncProperty(fc.array(one, { maxLength: 12 }), fc.nat(3), async (texts, shift) => {
        const bytes = moduleOf(texts, shift);
        const strings = texts.map(([, value]) => value);
        expect(await read(wholeReader(bytes))).toEqual({ strings, code: null });
        const behind = Buffer.concat([Buffer.alloc(13, 1), bytes, Buffer.alloc(9, 1)]);
        expect(await read(wholeReader(behind), 13, bytes.length)).toEqual({ strings, code: null });
      }),
    );
  });

  it('a string longer than what is read or given at once', async () => {
    const long = '/home/alice'.repeat(30_000);
    expect(
      await read(
        wholeReader(
          moduleOf([
            ['seven', long],
            ['plain', 'next'],
          ]),
        ),
      ),
    ).toEqual({
      strings: [long, 'next'],
      code: null,
    });
  });

  it('characters of sixteen bits come as their low bytes', async () => {
    const bytes = magic().block(2, MODULE, WIDTH, (bits) =>
      bits.record(WIDTH, 22, [47, 104, 0x263a, 109]),
    ).bytes;
    expect((await read(wholeReader(bytes))).strings).toEqual(['/h', 'm']);
  });
});

describe('structure', () => {
  it('abbreviations of BLOCKINFO hold in blocks of that kind, of the same module only', async () => {
    const module = (bits: BitWriter, elementBits: number, text: string): void => {
      bits.block(2, MODULE, WIDTH, (inner) => {
        inner.block(WIDTH, 0, 2, (info) => {
          info.record(2, 1, [11]).arrayAbbreviation(2, 8, FIXED, elementBits);
        });
        inner.block(WIDTH, 11, WIDTH, (constants) => {
          constants.fixed(WIDTH, 4).variable(6, text.length);
          for (const code of codes(text)) constants.fixed(elementBits, code);
        });
      });
    };
    const bits = magic();
    module(bits, 7, '/home/alice/first');
    module(bits, 8, '/home/alice/second');
    expect(await read(wholeReader(bits.bytes))).toEqual({
      strings: ['/home/alice/first', '/home/alice/second'],
      code: null,
    });
  });

  it('files one after another, with padding between them', async () => {
    const one = moduleOf([['seven', '/home/alice/one']]);
    const two = moduleOf([['eight', '/home/alice/two']]);
    const bytes = Buffer.concat([one, Buffer.alloc(8), two, Buffer.alloc(4), Buffer.alloc(3)]);
    expect(await read(wholeReader(bytes))).toEqual({
      strings: ['/home/alice/one', '/home/alice/two'],
      code: null,
    });
  });

  it('a wrapper, and only what it holds', async () => {
    const inner = moduleOf([['seven', '/home/alice/x']]);
    const head = Buffer.alloc(24);
    for (const [k, word] of [0x0b17_c0de, 0, 24, inner.length, 7].entries()) head.writeUInt32LE(word, k * 4);
    const bytes = Buffer.concat([head, inner, Buffer.from('behind it')]);
    expect(isBitcode(bytes)).toBe(true);
    expect(await read(wholeReader(bytes))).toEqual({ strings: ['/home/alice/x'], code: null });
    const items = [];
    for await (const item of readBitcode(wholeReader(bytes))) items.push(item);
    expect(items).toMatchObject([{ item: 'member', name: 'strings', type: 'file', stored: false }]);
  });
});

describe('damage', () => {
  const whole = moduleOf([
    ['seven', '/home/alice/first'],
    ['plain', '/home/alice/second'],
    ['eight', '/home/alice/third'],
  ]);

  it.each<[string, (bits: BitWriter) => void]>([
    ['an abbreviation that was never defined', (bits) => bits.fixed(WIDTH, 9)],
    ['an array of nothing', (bits) => bits.arrayAbbreviation(WIDTH, 8, FIXED, 0)],
    ['pieces of one bit', (bits) => bits.arrayAbbreviation(WIDTH, 8, VARIABLE, 1)],
    ['an element of 40 bits', (bits) => bits.arrayAbbreviation(WIDTH, 8, FIXED, 40)],
    ['an unknown encoding', (bits) => bits.arrayAbbreviation(WIDTH, 8, 7, 8)],
    [
      'a record longer than the stream',
      (bits) =>
        bits
          .fixed(WIDTH, 3)
          .variable(6, 8)
          .variable(6, 2 ** 40),
    ],
    ['a number of too many bits', (bits) => bits.fixed(WIDTH, 3).fixed(600, 2 ** 600 - 1)],
    ['an abbreviation of very many values', (bits) => bits.fixed(WIDTH, 2).variable(5, 2 ** 30)],
    [
      'a block in a block in a block',
      (bits) => {
        for (let k = 0; k < 70; k += 1)
          bits.fixed(WIDTH, 1).variable(8, 9).variable(4, WIDTH).align().fixed(32, 0);
      },
    ],
  ])('%s is corrupt, and what was before it is found', async (_, write) => {
    const bytes = magic().block(2, MODULE, WIDTH, (bits) => {
      bits.record(WIDTH, 16, codes('/home/alice/x'));
      write(bits);
      for (let k = 0; k < 60; k += 1) bits.fixed(32, 0xffff_ffff);
    }).bytes;
    expect(await read(wholeReader(bytes))).toEqual({ strings: ['/home/alice/x'], code: 'CONTAINER_CORRUPT' });
  });

  it('a block that ends elsewhere than it says is corrupt', async () => {
    const bytes = whole.slice();
    const words = new DataView(bytes.buffer).getUint32(8, true);
    new DataView(bytes.buffer).setUint32(8, words - 1, true);
    const { strings, code } = await read(wholeReader(bytes));
    expect({ found: strings.length, code }).toEqual({ found: 3, code: 'CONTAINER_CORRUPT' });
  });

  it('cut anywhere in a block it is a fault', async () => {
    for (let end = 16; end < whole.length; end += 1) {
      const { code } = await read(wholeReader(whole.slice(0, end)));
      expect(code, `${end}`).toBe('CONTAINER_TRUNCATED');
    }
  });

  it('a reader that does not have the bytes is a fault', async () => {
    expect(await read({ size: whole.length, read: () => null })).toEqual({
      strings: [],
      code: 'CONTAINER_UNREADABLE',
    });
  });

  it('flipped bits end in a result', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length * 8 - 1), { maxLength: 8 }), async (flips) => {
        const bytes = whole.slice();
        for (const bit of flips) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const { code } = await read(wholeReader(bytes));
        expect([null, 'CONTAINER_CORRUPT', 'CONTAINER_TRUNCATED']).toContain(code);
      }),
    );
  });
});

describe('real compilers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bitcode-'));
  const at = (name: string): string => join(folder, name);
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { cwd: folder, stdio: 'ignore' });
  };

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.skipIf(!needs('llvm-as'))(
    'llvm-as: each home is among the strings, and hardly any in the file as it is',
    async () => {
      const lines = [
        'source_filename = "/home/alice/source.ll"',
        '@a = constant [18 x i8] c"/home/alice/a.c\\00ab"',
        '@b = constant [15 x i8] c"/home/alice/b.c"',
        '@c = constant [16 x i8] c"/home/alice/c.c\\00"',
        '@d = constant [18 x i8] c"/home/alice/\\c3\\a4.c\\00\\00"',
        'module asm ".ident \\22/home/alice/asm\\22"',
      ];
      writeFileSync(at('m.ll'), `${lines.join('\n')}\n`);
      run('llvm-as', 'm.ll', '-o', 'm.bc');
      const bytes = readFileSync(at('m.bc'));
      expect(isBitcode(bytes)).toBe(true);
      const { strings, code } = await read(wholeReader(bytes));
      expect(code).toBeNull();
      const homes = ['source.ll', 'a.c', 'b.c', 'c.c', '\xc3\xa4.c', 'asm'].map(
        (name) => `/home/alice/${name}`,
      );
      for (const home of homes)
        expect(
          strings.some((text) => text.includes(home)),
          home,
        ).toBe(true);
      // some eight-bit string may begin at a whole byte by chance
      const plain = homes.filter((home) => bytes.includes(Buffer.from(home, 'latin1')));
      expect(plain.length).toBeLessThan(3);
    },
  );
});
