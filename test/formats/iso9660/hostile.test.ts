import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootImages } from '../../../src/formats/iso9660/bootImages.ts';
import { Extents } from '../../../src/formats/iso9660/extents.ts';
import { readIso9660 } from '../../../src/formats/iso9660/iso9660.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { FileScan, gaps, places } from '../../inspect/containers/support.ts';
import { needs } from '../../support/programs.ts';
import { wholeReader } from '../../support/rangeReaders.ts';
import { readAll } from '../zlib/support.ts';
import { GENISOIMAGE, imageOf, recordAt, writeBoth, XORRISO } from './support.ts';

const BLOCK = 2048;
const DESCRIPTOR = 16 * BLOCK;

const SCRIPT = [
  'cd tree; mkdir -p sub/deeper',
  'printf "first" > aa; printf "second" > ab; printf "third" > sub/ac; printf "deep" > sub/deeper/ad',
].join('; ');

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'iso9660-hostile-'));
});
afterAll(() => {
  rmSync(work, { recursive: true });
});

describe.skipIf(!needs('genisoimage'))('an image that contradicts itself', () => {
  let plain: Buffer;
  let rocky: Buffer;
  beforeAll(() => {
    plain = imageOf(work, SCRIPT, `${GENISOIMAGE} -no-pad`);
    rocky = imageOf(work, `${SCRIPT}; ln -s /x link`, `${GENISOIMAGE} -r -no-pad`);
  });

  const NAMES = ['AA', 'AB', 'SUB', 'SUB/AC', 'SUB/DEEPER', 'SUB/DEEPER/AD'];
  const blockOf = (image: Buffer, name: string): number => image.readUInt32LE(recordAt(image, name) + 2);

  async function changed(change: (image: Buffer) => void): Promise<{ faults: string[]; members: string[] }> {
    const image = Buffer.from(plain);
    change(image);
    const { members, faults } = await readAll(readIso9660, image);
    return {
      faults: faults.map((fault) => fault.replace(/@.*/, '')),
      members: members.map(({ name, bytes }) =>
        bytes.length === 0 ? name : `${name}: ${bytes.toString('latin1')}`,
      ),
    };
  }

  it('but for this it is read without a fault', async () => {
    const { faults, members } = await changed(() => undefined);
    expect(faults).toEqual([]);
    expect(members.map((member) => member.replace(/:.*/, ''))).toEqual(NAMES);
  });

  it.each<[string, (image: Buffer) => void, string]>([
    [
      'a directory that leads to the root',
      (b) => writeBoth(b, recordAt(b, 'DEEPER') + 2, b.readUInt32LE(DESCRIPTOR + 158)),
      'corrupt',
    ],
    [
      'a directory that leads to the one it is in',
      (b) => writeBoth(b, recordAt(b, 'DEEPER') + 2, blockOf(b, 'SUB')),
      'corrupt',
    ],
    [
      'a directory outside the image',
      (b) => writeBoth(b, recordAt(b, 'DEEPER') + 2, 0xfff_ffff),
      'truncated',
    ],
    [
      'a directory that is longer than the image',
      (b) => writeBoth(b, recordAt(b, 'DEEPER') + 10, b.length),
      'truncated',
    ],
    ['a file outside the image', (b) => writeBoth(b, recordAt(b, 'AD.;1') + 2, 0xfff_ffff), 'truncated'],
    [
      'a file that is longer than the image',
      (b) => writeBoth(b, recordAt(b, 'AD.;1') + 10, b.length),
      'truncated',
    ],
    [
      'a file that overlaps another one',
      (b) => writeBoth(b, recordAt(b, 'AA.;1') + 10, BLOCK + 1),
      'corrupt',
    ],
    ['two copies of a place', (b) => b.writeUInt32BE(1, recordAt(b, 'AD.;1') + 6), 'corrupt'],
    ['two copies of a size', (b) => b.writeUInt32BE(1, recordAt(b, 'AD.;1') + 14), 'corrupt'],
    [
      'a file with others in between',
      (b) => b.fill(1, recordAt(b, 'AD.;1') + 26, recordAt(b, 'AD.;1') + 28),
      'unsupported',
    ],
    [
      'a first part without another one',
      (b) => b.fill(0x80, recordAt(b, 'AD.;1') + 25, recordAt(b, 'AD.;1') + 26),
      'corrupt',
    ],
    [
      'a file without a name',
      (b) => b.fill(Buffer.from([1, 0]), recordAt(b, 'AD.;1') + 32, recordAt(b, 'AD.;1') + 34),
      'corrupt',
    ],
    ['a name with a slash', (b) => b.write('/', recordAt(b, 'AD.;1') + 33), 'corrupt'],
    ['a record of no length', (b) => b.fill(20, recordAt(b, 'AD.;1'), recordAt(b, 'AD.;1') + 1), 'corrupt'],
    ['descriptors without an end', (b) => b.write('CD002', DESCRIPTOR + BLOCK + 1), 'corrupt'],
    ['a block of another size', (b) => b.writeUInt16LE(4096, DESCRIPTOR + 128), 'corrupt'],
  ])('%s: a fault', async (_, change, reason) => {
    const { faults, members } = await changed(change);
    expect(faults[0]).toBe(reason);
    const lost = /descriptor|block/.test(_) ? NAMES.length : 2;
    const kept = members.map((member) => member.replace(/:.*/s, ''));
    expect(NAMES.filter((name) => !kept.includes(name)).length).toBeLessThanOrEqual(lost);
  });

  it('is read in blocks of another size, in which records begin anew behind zeros', async () => {
    const { members, faults } = await changed((image) => {
      const root = image.readUInt32LE(DESCRIPTOR + 158) * BLOCK;
      for (const name of ['AA.;1', 'AB.;1', 'SUB', 'AC.;1', 'DEEPER', 'AD.;1']) {
        writeBoth(image, recordAt(image, name) + 2, 4 * blockOf(image, name));
      }
      writeBoth(image, DESCRIPTOR + 158, 4 * image.readUInt32LE(DESCRIPTOR + 158));
      image.writeUInt16LE(512, DESCRIPTOR + 128);
      const last = recordAt(image, 'SUB');
      image.copy(image, root + 1024, last, last + 200);
      image.fill(0, last, last + 200);
    });
    expect(faults).toEqual([]);
    expect(members.map((member) => member.replace(/:.*/, ''))).toEqual(NAMES);
  });

  it('a catalog of what boots it that has no end is a fault', async () => {
    const image = imageOf(work, SCRIPT, `${GENISOIMAGE} -no-pad -b aa -no-emul-boot -c sub/catalog`);
    const catalog = image.readUInt32LE(DESCRIPTOR + BLOCK + 71) * BLOCK;
    expect((await readAll(readIso9660, image)).faults).toEqual([]);
    image.writeUInt32LE(0xffff_0090, catalog + 64);
    expect((await readAll(readIso9660, image)).faults.join()).toMatch(/limit-entries/);
  });

  it('a UDF file system whose descriptors are not where they should be is a fault', async () => {
    const image = Buffer.concat([plain, Buffer.alloc(300 * BLOCK - plain.length)]);
    expect((await readAll(readIso9660, image)).faults).toEqual([]);
    image.writeUInt16LE(2, 256 * BLOCK);
    image.writeUInt32LE(256, 256 * BLOCK + 12);
    expect((await readAll(readIso9660, image)).faults[0]).toMatch(/^unsupported/);
  });

  it('two trees of one image may hold different files', async () => {
    const image = imageOf(work, SCRIPT, `${GENISOIMAGE} -J -no-pad -hide aa -hide-joliet ab`);
    const { members } = await readAll(readIso9660, image);
    const names = members.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['aa', 'AB', 'sub/ac', 'SUB/AC']));
    expect(members.filter(({ bytes }) => bytes.length > 0)).toHaveLength(4);
  });

  it('files that are all of the image are not read without end', async () => {
    const image = Buffer.from(plain);
    for (const [index, name] of ['AA.;1', 'AB.;1', 'AC.;1', 'AD.;1'].entries()) {
      writeBoth(image, recordAt(image, name) + 2, index);
      writeBoth(image, recordAt(image, name) + 10, image.length);
    }
    const { members, faults } = await readAll(readIso9660, image);
    const read = members.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(read).toBeLessThanOrEqual(2 * image.length);
    expect(faults.some((fault) => fault.startsWith('corrupt'))).toBe(true);
  });

  it('what boots it is not left out in silence where files took all that may be read', () => {
    const catalog = Buffer.alloc(2 * BLOCK);
    catalog[0] = 1;
    catalog.writeUInt16LE(0xaa55, 30);
    catalog.writeUInt32LE(1, 40);
    const reader = wholeReader(catalog);
    const read = (extents: Extents) =>
      [...bootImages(reader, [0], extents, catalog.length)].map((item) =>
        item.item === 'fault' ? item.reason : item.name,
      );
    expect(read(new Extents(catalog.length))).toEqual(['boot-image@2048']);
    expect(read(new Extents(10))).toEqual(['corrupt']);
  });

  it('a record that goes on in itself is a fault', async () => {
    const image = Buffer.from(rocky);
    const record = recordAt(image, 'AA.;1');
    const field = image.indexOf('PX', record, 'latin1');
    const [block, offset] = [blockOf(image, 'AA.;1'), 1000];
    const goesOn = Buffer.alloc(28);
    goesOn.write('CE\x1c\x01', 'latin1');
    for (const [index, number] of [block, offset, goesOn.length].entries())
      writeBoth(goesOn, 4 + 8 * index, number);
    goesOn.copy(image, field);
    // what is left of the field is one of its own
    image.write('XX\x08\x01', field + goesOn.length, 'latin1');
    goesOn.copy(image, block * BLOCK + offset);
    expect((await readAll(readIso9660, rocky)).faults).toEqual([]);
    expect((await readAll(readIso9660, image)).faults.join()).toMatch(/^corrupt/);
  });

  it('with any bytes flipped ends well', async () => {
    const used = [plain, rocky].map((image) =>
      Array.from(image.keys()).filter((at) => at >= DESCRIPTOR && image[at] !== 0),
    );
    const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
    const flips = fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 1), flips, async (which, flips) => {
        const image = Buffer.from(which === 0 ? plain : rocky);
        const places = used[which] as number[];
        for (const [at, byte] of flips) image[places[at % places.length] as number] = byte;
        try {
          await readAll(readIso9660, image);
        } catch (error) {
          expect(error).toBeInstanceOf(NarScanError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('cut anywhere is never read without a fault, but for its last block', async () => {
    for (let end = DESCRIPTOR + 6; end < plain.length - BLOCK; end += 512) {
      expect((await readAll(readIso9660, plain.subarray(0, end))).faults, `cut at ${end}`).not.toEqual([]);
    }
  });
});

describe.skipIf(!needs('genisoimage', 'xorriso', 'xz', 'gzip'))('what an image holds', () => {
  const scan = new FileScan(5);
  const found = async (image: Buffer): Promise<readonly string[]> => {
    const facts = await scan.facts('a.iso', image);
    const all = places(facts).map((place) => place.split(' | ').slice(0, 3).join(' | '));
    return [...new Set([...all, ...gaps(facts)])];
  };
  const text = `printf '/homestead enoamyr/\\n/home/noamyr/answer\\n%.0s' 1 2 3 4 5 6`;

  it.each([
    ['that follow one another', false],
    ['in another order', true],
  ])('a file of two parts %s is one', async (_, swapped) => {
    const [first, second] = swapped ? ['ab', 'aa'] : ['aa', 'ab'];
    const halves = `cd tree; (head -c 2040 /dev/zero; printf "/home/no") > ${first}; printf "amyr/x" > ${second}`;
    const image = imageOf(work, halves, `${GENISOIMAGE} -no-pad`);
    const [one, two] = [recordAt(image, 'AA.;1'), recordAt(image, 'AB.;1')];
    if (swapped) {
      const record = Buffer.from(image.subarray(one, one + 33));
      image.copy(image, one, two, two + 33);
      record.copy(image, two);
    }
    image[one + 25] = 0x80;
    image.write('AA.;1', two + 33, 'latin1');
    expect(await found(image)).toContain('AA | known-home | bytes');
  });

  it('a file of parts that are other files is one of its own', async () => {
    const halves = `cd tree; (head -c 2040 /dev/zero; printf "/home/no") > aa; printf "amyr/x" > bb`;
    const image = imageOf(work, `${halves}; echo a > ab; echo c > cc; echo d > dd`, `${GENISOIMAGE} -no-pad`);
    const [one, two] = [recordAt(image, 'CC.;1'), recordAt(image, 'DD.;1')];
    image.copy(image, one + 2, recordAt(image, 'AA.;1') + 2, recordAt(image, 'AA.;1') + 18);
    image.copy(image, two + 2, recordAt(image, 'BB.;1') + 2, recordAt(image, 'BB.;1') + 18);
    image[one + 25] = 0x80;
    image.write('CC.;1', two + 33, 'latin1');
    expect(await found(image)).toContain('CC | known-home | bytes');
  });

  it('a name that tells how a file is packed counts, whichever comes first', async () => {
    const links = `cd tree; ${text} | xz --format=lzma > a; ln a b.lzma; ln a c`;
    expect(await found(imageOf(work, links, `${XORRISO} -r`))).toEqual(['b.lzma > b | known-home | bytes']);
  });

  it('what boots it is looked at although no directory names it', async () => {
    const boot = `cd tree; echo a > a; ${text} > t; tar --format=ustar -czf boot.img t; rm t`;
    const image = imageOf(work, boot, `${GENISOIMAGE} -r -b boot.img -no-emul-boot -hide boot.img`);
    expect((await found(image)).join()).toMatch(/^boot-image@\d+ > gzip > t \| known-home \| bytes$/);
  });

  it('files of any number are read once, and searched for no streams again', async () => {
    const doubled = 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13; do cat a a > b; mv b a; done';
    const many = `cd tree; gzip -n < /dev/null > a; ${doubled}; head -c 100000 a | split -a 4 -b 20; rm a; ${text} | gzip > z`;
    const image = imageOf(work, many, `${XORRISO} -r`);
    expect(await found(image)).toEqual(['z > gzip | known-home | bytes']);
  });

  it('the UDF tree of a bridge is a gap, and all else is read', async () => {
    const image = imageOf(work, `cd tree; ${text} > text`, `${GENISOIMAGE} -r -udf`);
    expect(await found(image)).toEqual(['text | known-home | bytes', 'unsupported']);
  });

  it('links through other directories, and slashes that follow one another, are told as they are', async () => {
    const link = 'cd tree; mkdir a; ln -s ../../a//b/./c a/link';
    for (const maker of [`${XORRISO} -r`, `${GENISOIMAGE} -r`]) {
      const targets: string[] = [];
      const image = imageOf(work, link, maker);
      const reader = {
        size: image.length,
        read: (at: number, length: number) => image.subarray(at, at + length),
      };
      for await (const item of readIso9660(reader, () => undefined)) {
        if (item.item === 'member' && item.type === 'symlink') targets.push(item.target);
      }
      expect(targets).toEqual(['../../a//b/./c']);
    }
  });
});
