import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finding, LIMITS, type OutputFacts, scan } from '../../src/index.ts';
import { file, nar } from '../support/narWriter.ts';

const HOME = '/home/noamyr';
/** Ends in the encoding, whatever follows. */
const PATH = `${HOME}/x`;
const WINDOWS_PATH = 'C:\\Users\\noamyr\\x';
const CHUNK = LIMITS.chunkBytes;
/** Streams are read in multiples of this. */
const STEP = 64 * 1024;

const each = (text: string, write: (hex: string) => string): string =>
  [...Buffer.from(text, 'latin1')].map((byte) => write(byte.toString(16).padStart(2, '0'))).join('');

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const utf32le = (text: string): Buffer =>
  Buffer.concat([...text].map((letter) => Buffer.concat([Buffer.from(letter, 'utf16le'), Buffer.alloc(2)])));
/** Behind `skip` bytes of something else, which decide how the digits fall. */
const base64 = (skip: number): Buffer =>
  Buffer.from(
    Buffer.from('x'.repeat(skip) + PATH)
      .toString('base64')
      .replaceAll('=', ''),
  );

/** The home as each encoding writes it; base64 with the bytes before it. */
const WRITTEN: Readonly<Record<string, Buffer>> = {
  plain: Buffer.from(PATH),
  utf16le: Buffer.from(PATH, 'utf16le'),
  utf16be: utf16be(PATH),
  utf32le: utf32le(PATH),
  utf32be: utf32le(PATH).swap32(),
  'json-slash': Buffer.from(PATH.replaceAll('/', '\\/')),
  percent: Buffer.from(PATH.replaceAll('/', '%2F')),
  'unicode-escape': Buffer.from(PATH.replaceAll('/', '\\u002f')),
  'hex-escape': Buffer.from(PATH.replaceAll('/', '\\x2f')),
  'html-entity': Buffer.from(PATH.replaceAll('/', '&#x2F;')),
  'double-backslash': Buffer.from(WINDOWS_PATH.replaceAll('\\', '\\\\')),
  base64: base64(0),
  'base64 1': base64(1),
  'base64 2': base64(2),
  hex: Buffer.from(each(PATH, (digits) => digits)),
};

async function scanAll(targets: readonly string[]): Promise<readonly OutputFacts[]> {
  const request = { storeDir: '/nix/store', homes: [HOME], hostHomes: false, aliases: [], limits: {} };
  const { outputs, errors } = await scan(
    { ...request, targets, hashNars: false, exportStream: false },
    { jobs: 2 },
  );
  expect(errors).toEqual([]);
  return outputs;
}

const lineOf = ({ encoding, location }: Finding): string => `${encoding} @${location.offset}`;

/** `encoding @offset` of each error, by entry. */
function found({ findings }: OutputFacts): ReadonlyMap<string, string> {
  const errors = findings.filter(({ severity }) => severity === 'error');
  return new Map(errors.map((finding) => [finding.location.entry, lineOf(finding)]));
}

/** One place of one encoding. */
interface Case {
  readonly name: string;
  readonly bytes: Buffer;
  /** How many of the bytes come before the edge. */
  readonly shift: number;
  /** What is found where the bytes begin at this offset. */
  readonly at: (offset: number) => string;
}

/**
 * `base64 2`: the home begins in the third digit. Big-endian text one byte behind a multiple of its
 * unit reads as little-endian text that stands where it should, and is called that.
 */
const expectedAt =
  (name: string) =>
  (offset: number): string => {
    const [encoding = '', digits = '0'] = name.split(' ');
    const unit = { utf16be: 2, utf32be: 4 }[encoding];
    if (unit !== undefined && offset % unit === 1) {
      return `${encoding.replace('be', 'le')} @${offset + unit - 1}`;
    }
    return `${encoding} @${offset + Number(digits)}`;
  };

const CASES: readonly Case[] = Object.entries(WRITTEN).flatMap(([name, bytes]) =>
  Array.from({ length: bytes.length + 1 }, (_, shift) => ({
    name: `${name}.${shift}`,
    bytes,
    shift,
    at: expectedAt(name),
  })),
);
const BLANKS = Buffer.alloc(64, ' ');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-edges-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes bytes at an offset of a file, between blanks and far from anything else; `ends`: it ends with them. */
function write(path: string, offset: number, bytes: Buffer, ends: boolean): void {
  const fd = openSync(path, 'w');
  writeSync(
    fd,
    Buffer.concat([BLANKS, bytes, ends ? Buffer.alloc(0) : BLANKS]),
    0,
    null,
    offset - BLANKS.length,
  );
  closeSync(fd);
}

function tree(name: string): string {
  const output = join(folder, name);
  mkdirSync(output);
  return output;
}

/** Scans a folder of one file for each case. */
async function expectInEach(output: string, ending = ''): Promise<void> {
  const [facts, ...others] = await scanAll([output]);
  if (facts === undefined || others.length > 0) throw new Error('not one output');
  const expected = CASES.map((of) => [`${of.name}${ending}`, of.at(CHUNK - of.shift)]);
  expect(Object.fromEntries(found(facts))).toEqual(Object.fromEntries(expected));
  expect(facts.gaps).toEqual([]);
}

describe('a home in every encoding', () => {
  it('is found across the edge of two chunks of a file', async () => {
    const output = tree('edge');
    for (const { name, bytes, shift } of CASES) write(join(output, name), CHUNK - shift, bytes, false);
    await expectInEach(output);
  });

  it('is found across that edge at the end of a file', async () => {
    const output = tree('end');
    for (const { name, bytes, shift } of CASES) write(join(output, name), CHUNK - shift, bytes, true);
    await expectInEach(output);
  });

  it('is found across every edge that two chunks of a NAR may have', async () => {
    const edges = Array.from({ length: 12 }, (_, at) => (at + 1) * STEP);
    const length = 13 * STEP;
    const whole = nar(file(Buffer.alloc(length)));
    const cut = whole.lastIndexOf('contents') + 16;
    const paths = CASES.map(({ name, bytes, shift }) => {
      const path = join(folder, `${name}.nar`);
      const stream = Buffer.concat([
        whole.subarray(0, cut),
        Buffer.alloc(length, ' '),
        whole.subarray(cut + length),
      ]);
      for (const edge of edges) bytes.copy(stream, edge - shift);
      writeFileSync(path, stream);
      return path;
    });
    const outputs = await scanAll(paths);
    for (const path of paths) rmSync(path);
    expect(outputs.map(({ findings }) => findings.map(lineOf))).toEqual(
      CASES.map(({ at, shift }) => edges.map((edge) => at(edge - shift - cut))),
    );
  });

  it('is found across the edge of two chunks of what was decompressed, once and twice', async () => {
    const output = tree('gzip');
    for (const { name, bytes, shift } of CASES) {
      const plain = Buffer.alloc(CHUNK + 999, ' ');
      bytes.copy(plain, CHUNK - shift);
      const once = gzipSync(plain, { level: 1 });
      writeFileSync(join(output, `${name}.gz`), shift % 2 === 0 ? once : gzipSync(once));
    }
    await expectInEach(output, '.gz');
  });

  it('is found where it is all there is, in a file, a NAR and a compressed file', async () => {
    const output = tree('whole');
    const paths = Object.entries(WRITTEN).flatMap(([name, bytes]) =>
      Object.entries({ '': bytes, '.gz': gzipSync(bytes), '.nar': nar(file(bytes)) }).map(
        ([ending, whole]) => {
          const path = join(output, `${name}${ending}`);
          writeFileSync(path, whole);
          return path;
        },
      ),
    );
    const outputs = await scanAll(paths);
    expect(outputs.map((facts) => [...found(facts).values()])).toEqual(
      Object.keys(WRITTEN).flatMap((name) => Array.from({ length: 3 }, () => [expectedAt(name)(0)])),
    );
  });
});
