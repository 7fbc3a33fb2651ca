import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bind, type FoundNar, narNameOf } from '../../../src/admission/publication/bind.ts';
import { isNarName } from '../../../src/admission/narName.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import type { NarInfo } from '../../../src/nix/narinfo.ts';
import { fingerprint, generateSecretKey, signText } from '../../../src/nix/signature.ts';

const HASH = '1'.repeat(52);
const PART = '0'.repeat(32);
const PATH = `/nix/store/${PART}-hello`;
const OTHER = `/nix/store/${'a'.repeat(32)}-glibc`;
const NAR: FoundNar = {
  name: `nar/${HASH}.nar.xz`,
  fileHash: `sha256:${HASH}`,
  fileSize: 100,
  narHash: `sha256:${'0'.repeat(52)}`,
  narSize: 400,
  compression: 'xz',
};
const INFO: NarInfo = {
  storePath: PATH,
  url: NAR.name,
  compression: 'xz',
  fileHash: NAR.fileHash,
  fileSize: NAR.fileSize,
  narHash: NAR.narHash,
  narSize: NAR.narSize,
  references: [OTHER, PATH],
  deriver: null,
  signatures: [],
  ca: null,
};
const PUBLISHED = new Set([OTHER]);
const alice = generateSecretKey('alice-1');
const noamyr = generateSecretKey('noamyr-1');

const bound = (change: Partial<NarInfo>): ReturnType<typeof bind> =>
  bind({ ...INFO, ...change }, NAR, PART, PUBLISHED, [alice.publicKey]);

describe('a narinfo', () => {
  it('of which everything is so is bound', () => {
    expect(bound({})).toEqual({ info: INFO, isVouched: false });
  });

  it('may leave out what is known of the file', () => {
    expect(bound({ fileHash: null, fileSize: null }).info).toEqual(INFO);
  });

  const elsewhere = `sha256:${'2'.repeat(52)}`;
  it.each<[string, Partial<NarInfo>, string]>([
    ['another NarHash', { narHash: elsewhere }, 'NARINFO_WRONG'],
    ['another NarSize', { narSize: 401 }, 'NARINFO_WRONG'],
    ['another FileHash', { fileHash: elsewhere }, 'NARINFO_WRONG'],
    ['another FileSize', { fileSize: 99 }, 'NARINFO_WRONG'],
    ['another compression', { compression: 'none' }, 'NARINFO_WRONG'],
    ['the compression that is meant where none is named', { compression: 'bzip2' }, 'NARINFO_WRONG'],
    ['another hash part', { storePath: `/nix/store/${'b'.repeat(32)}-hello` }, 'NARINFO_WRONG'],
    ['an unknown reference', { references: [`/nix/store/${'c'.repeat(32)}-x`] }, 'NARINFO_UNBOUND'],
    ['a reference of another name', { references: [`${OTHER}-2`] }, 'NARINFO_UNBOUND'],
    ['another NAR', { url: `nar/${'2'.repeat(52)}.nar.xz` }, 'NARINFO_WRONG'],
    ['a CA that is none', { ca: 'fixed:r:sha256:' }, 'NARINFO_WRONG'],
    ['a CA of another path', { ca: `fixed:r:sha256:${'0'.repeat(52)}` }, 'NARINFO_WRONG'],
    ['a signature that is none', { signatures: ['alice-1:'] }, 'NARINFO_WRONG'],
    ['a signature that clients cannot read', { signatures: ['bob-1:A'] }, 'NARINFO_WRONG'],
    ['one by a trusted name over nothing', { signatures: [signText(alice, '')] }, 'NARINFO_WRONG'],
    [
      'one of other references',
      { signatures: [signText(alice, fingerprint({ ...INFO, references: [] }))] },
      'NARINFO_WRONG',
    ],
    [
      'one by a key that took a trusted name',
      { signatures: [signText({ ...noamyr, name: 'alice-1' }, fingerprint(INFO))] },
      'NARINFO_WRONG',
    ],
    [
      'too many signatures',
      {
        signatures: Array.from({ length: LIMITS.narInfoSignatures + 1 }, (_, index) =>
          signText({ ...noamyr, name: `noamyr-${index}` }, ''),
        ),
      },
      'NARINFO_WRONG',
    ],
  ])('with %s is refused', (_name, change, code) => {
    expect(() => bound(change)).toThrow(expect.objectContaining({ code }));
  });

  it('with a signature by a trusted key is vouched for, by another it is not', () => {
    const trusted = signText(alice, fingerprint(INFO));
    const unknown = signText(noamyr, 'anything');
    expect(bound({ signatures: [unknown] })).toMatchObject({
      isVouched: false,
      info: { signatures: [unknown] },
    });
    expect(bound({ signatures: [unknown, trusted] })).toMatchObject({
      isVouched: true,
      info: { signatures: [unknown, trusted] },
    });
  });

  it('is bound under no name but the plain one of a NAR', () => {
    const bad = fc.oneof(
      fc.webUrl(),
      fc.constantFrom(
        `../nar/${HASH}.nar`,
        `nar/../nar/${HASH}.nar`,
        `/nar/${HASH}.nar`,
        `nar/${HASH}.nar?x`,
        `nar/${HASH}.nar#x`,
        `nar/%2e%2e/${HASH}.nar`,
        `nar//${HASH}.nar`,
        `nar/${HASH}.nar.`,
        `nar/${HASH}.nar.xz.xz`,
        `nar/${HASH}.nar.\u0000`,
        `nar/${HASH}.nar\n`,
        `nar/${HASH}`,
        `nar/${HASH.slice(1)}.nar`,
        `nar/${'e'.repeat(52)}.nar`,
        `file:///nar/${HASH}.nar`,
        `http://127.0.0.1/nar/${HASH}.nar`,
        `nar\\${HASH}.nar`,
      ),
      fc.string().map((text) => `nar/${text}.nar`),
    );
    fc.assert(
      fc.property(bad, (url) => {
        expect(isNarName(url)).toBe(false);
        expect(() => narNameOf({ url })).toThrow(expect.objectContaining({ code: 'NARINFO_WRONG' }));
      }),
    );
    for (const ending of ['', '.xz', '.bz2', '.zst', '.br', '.lz4', '.lzip'])
      expect(isNarName(`nar/${HASH}.nar${ending}`)).toBe(true);
  });

  it('is bound only where it says what was found, whatever it says', () => {
    const anything = fc.record({
      storePath: fc.constantFrom(PATH, OTHER),
      url: fc.constantFrom(NAR.name, `nar/${HASH}.nar`),
      compression: fc.constantFrom('xz', 'none', 'zstd'),
      fileHash: fc.constantFrom(NAR.fileHash, elsewhere, null),
      fileSize: fc.constantFrom(100, 0, null),
      narHash: fc.constantFrom(NAR.narHash, elsewhere),
      narSize: fc.constantFrom(400, 1),
      references: fc.subarray([OTHER, PATH, `/nix/store/${'c'.repeat(32)}-x`]),
      deriver: fc.constantFrom(null, OTHER),
      signatures: fc.subarray([signText(alice, fingerprint(INFO)), signText(noamyr, fingerprint(INFO))]),
      ca: fc.constant(null),
    });
    fc.assert(
      fc.property(anything, fc.constantFrom(PART, 'a'.repeat(32)), (info, hashPart) => {
        let result: ReturnType<typeof bind>;
        try {
          result = bind(info, NAR, hashPart, PUBLISHED, [alice.publicKey]);
        } catch {
          return;
        }
        const { url, compression, fileHash, fileSize, narHash, narSize } = result.info;
        expect({ ...NAR, name: url, compression, fileHash, fileSize, narHash, narSize }).toEqual(NAR);
        expect(result.info.storePath).toContain(hashPart);
        expect(info.references).not.toContain(`/nix/store/${'c'.repeat(32)}-x`);
      }),
    );
  });
});
