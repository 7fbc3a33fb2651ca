import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.ts';
import { NarScanError } from '../../src/model/errors.ts';
import { narHashText } from '../../src/nix/narHash.ts';
import { narInfoText, parseNarInfo, type NarInfo } from '../../src/nix/narinfo.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

const STORE = '/nix/store';
const HASH = '0123456789abcdfghijklmnpqrsvwxyz';

const parsed = (text: string): NarInfo => parseNarInfo(Buffer.from(text), STORE);

function refusal(text: string): string {
  try {
    parsed(text);
  } catch (error) {
    if (!(error instanceof NarScanError) || error.code !== 'NARINFO_INVALID') throw error;
    expect(error.message).not.toContain('\n');
    return error.message.slice('the narinfo is none: '.length);
  }
  return 'accepted';
}

const chars = (set: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...set), { minLength, maxLength }).map((all) => all.join(''));
const LETTERS = 'abcxyzABCXYZ0189+-._?=';
const storePath = fc
  .tuple(chars('0123456789abcdfghijklmnpqrsvwxyz', 32, 32), chars(LETTERS, 0, 30))
  .map(([hash, name]) => `${STORE}/${hash}-n${name}`);
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(narHashText);
const word = chars(`${LETTERS}/:%`, 1, 40);
const signature = fc
  .tuple(chars(LETTERS, 1, 20), fc.uint8Array({ minLength: 64, maxLength: 64 }))
  .map(([name, bytes]) => `${name}:${Buffer.from(bytes).toString('base64')}`);
const sorted = (list: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.uniqueArray(list, { maxLength: 5 }).map((all) => all.toSorted());
const anyNarInfo: fc.Arbitrary<NarInfo> = fc.record({
  storePath,
  url: word,
  compression: word,
  fileHash: fc.option(hash),
  fileSize: fc.option(fc.nat(Number.MAX_SAFE_INTEGER)),
  narHash: hash,
  narSize: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  references: sorted(storePath),
  deriver: fc.option(storePath),
  signatures: sorted(signature),
  ca: fc.option(word),
});

const PLAIN = `StorePath: ${STORE}/${HASH}-a
URL: nar/x.nar.xz
NarHash: sha256:${'0'.repeat(52)}
NarSize: 120
`;

describe('a narinfo', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(anyNarInfo, (info) => {
        expect(parsed(narInfoText(info))).toEqual(info);
      }),
    );
  });

  it.skipIf(!needs('nix'))('of the real Nix is read, and written the same', () => {
    using store = new SymlinkedStore();
    const lib = store.build('lib', 'echo lib > $out');
    const tool = store.build('tool', `mkdir $out; echo ${lib} $out > $out/tool`, [lib]);
    const key = join(store.folder, 'key');
    execFileSync('nix-store', ['--generate-binary-cache-key', 'test-1', key, `${key}.pub`]);
    const cache = join(store.folder, 'cache');
    store.copy(`file://${cache}?secret-key=${key}`, tool, store.add('named by its content'));
    const files = readdirSync(cache).filter((name) => name.endsWith('.narinfo'));
    const infos = files.map((name) => {
      const bytes = readFileSync(join(cache, name));
      const info = parseNarInfo(bytes, store.storeDir);
      expect(narInfoText(info)).toBe(bytes.toString());
      return info;
    });
    expect(infos.find((info) => info.storePath === tool)).toMatchObject({
      narHash: store.narHash(tool),
      references: [lib, tool].toSorted(),
      compression: 'xz',
      deriver: expect.stringMatching(/-tool\.drv$/),
      signatures: [expect.stringMatching(/^test-1:/)],
    });
    expect(infos.filter(({ ca }) => ca !== null)).toHaveLength(1);
    expect(infos).toHaveLength(3);
  });

  it('may leave out what Nix may leave out, and hold fields that Nix does not know', () => {
    expect(parsed(`${PLAIN}Deriver: unknown-deriver\nSystem: x86_64-linux\nSystem: again\n`)).toEqual({
      storePath: `${STORE}/${HASH}-a`,
      url: 'nar/x.nar.xz',
      compression: 'bzip2',
      fileHash: null,
      fileSize: null,
      narHash: `sha256:${'0'.repeat(52)}`,
      narSize: 120,
      references: [],
      deriver: null,
      signatures: [],
      ca: null,
    });
  });

  it.each([
    ['', 'line 1: there is no StorePath'],
    [PLAIN.slice(0, -1), 'line 4: the line does not end'],
    [`${PLAIN}References: \nReferences: \n`, 'line 6: a second References'],
    [`${PLAIN}CA: text:x\nCA: text:x\n`, 'line 6: a second CA'],
    [`${PLAIN}URL: other\n`, 'line 5: a second URL'],
    [`${PLAIN}NarSize: 120\n`, 'line 5: a second NarSize'],
    [`${PLAIN}\n`, 'line 5: a field is no name, colon, space and value'],
    [`${PLAIN}CA:text\n`, 'line 5: a field is no name, colon, space and value'],
    [`${PLAIN}: x\n`, 'line 5: a field is no name, colon, space and value'],
    [`${PLAIN}CA: \n`, "line 5: CA cannot be ''"],
    [`${PLAIN}References: ${HASH}-a  ${HASH}-b\n`, `line 5: References cannot be '${HASH}-a  ${HASH}-b'`],
    [`${PLAIN}References: ${HASH}-a ${HASH}-a\n`, `line 5: References cannot be '${HASH}-a ${HASH}-a'`],
    [`${PLAIN}References: ${STORE}/${HASH}-a\n`, `line 5: References cannot be '${STORE}/${HASH}-a'`],
    [`${PLAIN}Deriver: x.drv\n`, "line 5: Deriver cannot be 'x.drv'"],
    [`${PLAIN}Sig: nameless\n`, "line 5: Sig cannot be 'nameless'"],
    [`${PLAIN}FileSize: -1\n`, "line 5: FileSize cannot be '-1'"],
    [PLAIN.replace('120', '0'), "line 4: NarSize cannot be '0'"],
    [PLAIN.replace('120', '012'), "line 4: NarSize cannot be '012'"],
    [PLAIN.replace('120', '9007199254740993'), "line 4: NarSize cannot be '9007199254740993'"],
    [PLAIN.replace('sha256', 'sha512'), `line 3: NarHash cannot be 'sha512:${'0'.repeat(52)}'`],
    [PLAIN.replace('/nix/store', '/other/store'), `line 1: StorePath cannot be '/other/store/${HASH}-a'`],
    [PLAIN.replace(`${HASH}-a`, `${HASH}-a/b`), `line 1: StorePath cannot be '${STORE}/${HASH}-a/b'`],
    [PLAIN.replace('nar/', 'n r/'), "line 2: URL cannot be 'n r/x.nar.xz'"],
  ])('is not %j', (text, message) => {
    expect(refusal(text)).toBe(message);
  });

  it('has a bound', () => {
    expect(refusal(`${PLAIN}X: ${'x'.repeat(LIMITS.narInfoBytes)}\n`)).toMatch(/^line 1: it has \d+ bytes$/);
  });

  it('is never made of other bytes', () => {
    fc.assert(
      fc.property(anyNarInfo, fc.nat(), fc.nat(255), (info, place, byte) => {
        const bytes = Buffer.from(narInfoText(info));
        bytes[place % bytes.length] = byte;
        try {
          const read = parseNarInfo(bytes, STORE);
          expect(parsed(narInfoText(read))).toEqual(read);
        } catch (error) {
          expect(error).toMatchObject({ code: 'NARINFO_INVALID' });
        }
      }),
      { numRuns: 300 },
    );
  });
});
