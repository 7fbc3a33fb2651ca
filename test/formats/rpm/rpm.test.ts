import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRpm } from '../../../src/formats/rpm/rpm.ts';
import { FileScan, gaps, places } from '../../inspect/containers/support.ts';
import { needs } from '../../support/programs.ts';
import { member, trailer } from '../cpio/writer.ts';
import { isIncomplete, readAll } from '../zlib/support.ts';

type Tags = Readonly<Record<number, string>>;

/** A header of strings. */
function header(tags: Tags): Buffer {
  const index: Buffer[] = [];
  let data = '';
  for (const [tag, value] of Object.entries(tags)) {
    const entry = Buffer.alloc(16);
    for (const [at, number] of [Number(tag), 6, data.length, 1].entries())
      entry.writeUInt32BE(number, at * 4);
    index.push(entry);
    data += `${value}\0`;
  }
  const intro = Buffer.from('8eade80100000000', 'hex');
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32BE(index.length, 0);
  sizes.writeUInt32BE(data.length, 4);
  return Buffer.concat([intro, sizes, ...index, Buffer.from(data, 'latin1')]);
}

function lead(): Buffer {
  const bytes = Buffer.alloc(96);
  bytes.write('\xed\xab\xee\xdb\x03\0\0\0\0\x01answer-1-1', 'latin1');
  bytes.writeUInt16BE(5, 78);
  return bytes;
}

/** A package; its signature ends at no multiple of eight. */
function rpm(tags: Tags, payload: Uint8Array): Buffer {
  const signature = header({ 269: 'a sum', 273: 'bc' });
  const padding = Buffer.alloc(-signature.length & 7);
  return Buffer.concat([lead(), signature, padding, header(tags), payload]);
}

const TAGS = { 1000: 'answer', 1124: 'cpio', 1125: 'gzip' };
const ARCHIVE = Buffer.concat([member('newc', { name: './a', contents: 'text' }), trailer('newc')]);
const PACKAGE = rpm(TAGS, gzipSync(ARCHIVE));

describe('an RPM package', () => {
  it('gives its payload by the name that tells how it is packed', async () => {
    for (const [compressor, name] of [
      ['gzip', 'payload.cpio.gz'],
      ['lzma', 'payload.cpio.lzma'],
      ['odd', 'payload.cpio'],
    ] as const) {
      const bytes = rpm({ ...TAGS, 1125: compressor }, gzipSync(ARCHIVE));
      const { members, faults } = await readAll(readRpm, bytes);
      expect(faults).toEqual([]);
      expect(members).toMatchObject([{ name, bytes: gzipSync(ARCHIVE), code: null }]);
      expect(bytes.subarray(members[0]?.offset ?? 0)).toEqual(gzipSync(ARCHIVE));
    }
    expect((await readAll(readRpm, rpm({}, gzipSync(ARCHIVE)))).members[0]?.name).toBe('payload.cpio.gz');
    expect(await readAll(readRpm, rpm(TAGS, ARCHIVE))).toMatchObject({ faults: [] });
  });

  it('that is cut before its payload is never whole', async () => {
    const { members } = await readAll(readRpm, PACKAGE);
    for (let end = 5; end <= (members[0]?.offset ?? 0); end += 1) {
      expect(isIncomplete(await readAll(readRpm, PACKAGE.subarray(0, end))), `cut at ${end}`).toBe(true);
    }
  });

  it.each([
    ['a delta', rpm({ ...TAGS, 1124: 'drpm' }, gzipSync(ARCHIVE)), 'unsupported'],
    ['an unknown packing', rpm(TAGS, Buffer.from('no archive at all')), 'unsupported'],
    ['an old signature', Buffer.concat([lead().fill(0, 79, 80), PACKAGE.subarray(96)]), 'unsupported'],
    ['too many entries', Buffer.from(PACKAGE).fill(0x7f, 104, 108), 'corrupt'],
    ['another magic', Buffer.from(PACKAGE).fill(0, 96, 100), 'corrupt'],
  ])('%s is a fault', async (_, bytes, reason) => {
    expect((await readAll(readRpm, bytes)).faults[0]).toMatch(reason);
  });

  it('with any bytes flipped ends well', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(PACKAGE.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (flips) => {
          const bytes = Buffer.from(PACKAGE);
          for (const [at, byte] of flips) bytes[at] = byte;
          const read = await readAll(readRpm, bytes);
          expect(read.members.length === 1 || isIncomplete(read)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a package whose archive leaves sizes to its header', () => {
  const scan = new FileScan(4);
  const archive = Buffer.from('07070X00000000\0\0text', 'latin1');

  it.each([
    ['packed', gzipSync(archive), ['payload.cpio.gz > payload.cpio > unsupported']],
    ['as it is', archive, ['payload.cpio.gz > unsupported']],
  ])('is a gap: %s', async (_, payload, expected) => {
    expect(gaps(await scan.facts('a.rpm', rpm(TAGS, payload)))).toEqual(expected);
  });
});

describe.skipIf(!needs('rpmbuild', 'gzip'))('packages that rpmbuild makes', () => {
  const scan = new FileScan(5);
  let work: string;

  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'rpm-'));
  });

  afterAll(() => {
    rmSync(work, { recursive: true });
  });

  /** A package of what a script puts into `$out`. */
  function build(script: string, payload: string): Buffer {
    const top = mkdtempSync(join(work, 'top-'));
    const spec = join(top, 'answer.spec');
    const lines = `Name: answer
Version: 1
Release: 1
Summary: an answer
License: none
BuildArch: noarch
%description
An answer.
%install
out=%{buildroot}/usr/share/answer
mkdir -p $out
${script}
%files
/usr/share/answer
`;
    writeFileSync(spec, lines);
    mkdirSync(join(top, 'home'));
    const define = ['_topdir ' + top, '_rpmdir ' + join(top, 'made'), '_binary_payload ' + payload];
    execFileSync('rpmbuild', ['-bb', '--quiet', ...define.flatMap((line) => ['--define', line]), spec], {
      env: { ...process.env, HOME: join(top, 'home') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const made = join(top, 'made/noarch');
    return readFileSync(join(made, readdirSync(made)[0] ?? ''));
  }

  const TEXT = (home: string): string => `printf '/homestead enoamyr/\\n${home}/answer\\n%.0s' 1 2 3 4 5 6`;
  const script = (home: string): string =>
    `${TEXT(home)} > $out/text\n${TEXT(home)} | gzip -n > $out/text.gz\nln -s ${home}/answer $out/link`;

  it.each([
    ['w9.gzdio', ['payload.cpio.gz', 'payload.cpio']],
    ['w9.bzdio', ['payload.cpio.bz2', 'payload.cpio']],
    ['w6.xzdio', ['payload.cpio.xz', 'payload.cpio']],
    ['w6.lzdio', ['payload.cpio.lzma', 'payload.cpio']],
    ['w3.zstdio', ['payload.cpio.zst', 'payload.cpio']],
    ['w.ufdio', ['payload.cpio.gz']],
  ])('%s: leaks in a file, in a packed file and in a link are found', async (payload, outer) => {
    const facts = await scan.facts('answer.rpm', build(script('/home/noamyr'), payload));
    expect(gaps(facts)).toEqual([]);
    const prefix = `${outer.join(' > ')} > `;
    const files = places(facts)
      .filter((place) => place.startsWith(prefix))
      .map((place) => place.slice(prefix.length).split(' | ').slice(0, 3).join(' | '));
    expect(new Set(files)).toEqual(
      new Set([
        './usr/share/answer/link | known-home | symlink',
        './usr/share/answer/text | known-home | bytes',
        './usr/share/answer/text.gz > text | known-home | bytes',
      ]),
    );
  });

  it.each(['w9.gzdio', 'w6.lzdio', 'w.ufdio'])('%s: the same in another home is clean', async (payload) => {
    const facts = await scan.facts('answer.rpm', build(script('/homes/noamyr-the-other'), payload));
    expect([places(facts), gaps(facts)]).toEqual([[], []]);
  });
});
