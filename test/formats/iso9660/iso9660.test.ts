import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartialFacts } from '../../../src/sources/factSink.ts';
import { FileScan, gaps, places } from '../../inspect/containers/support.ts';
import { needs } from '../../support/programs.ts';
import { GENISOIMAGE, imageOf, XORRISO } from './support.ts';

const DEEP = 'a/b/c/d/e/f/g/h/i/j';

/** Text in which compressors refer back, so that the home stands nowhere in one piece. */
const text = (home: string): string => `printf '/homestead enoamyr/\\n${home}/answer\\n%.0s' 1 2 3 4 5 6`;

const script = (home: string): string =>
  [
    `printf 'x%.0s' $(seq 432) > mbr; cd tree; mkdir -p ${DEEP} data`,
    `${text(home)} > data/text; ln data/text data/twin`,
    `${text(home)} | gzip -n > data/text.gz`,
    `${text(home)} > ${DEEP}/deep`,
    `ln -s ${home}/x data/link; ln -s ../../..${home}/y data/up`,
    `mkdir -p .${home}/.config; touch .${home}/.config/empty`,
    `tar --format=ustar -cf data/text.tar data/text; xz < data/text > data/no-ending`,
    `head -c 40000 /dev/zero > data/boot.img`,
  ].join('; ');

/** What is found wherever Rock Ridge keeps names and links. */
const ROCK_RIDGE = [
  'data/link | known-home | symlink',
  'data/no-ending > xz | known-home | bytes',
  'data/text | known-home | bytes',
  'data/text.gz > text | known-home | bytes',
  'data/text.tar > data/text | known-home | bytes',
  'data/up | known-home | symlink',
  `${DEEP}/deep | known-home | bytes`,
  'home/noamyr | known-home | entry-name',
  'home/noamyr/.config | known-home | entry-name',
  'home/noamyr/.config/empty | known-home | entry-name',
];

const JOLIET = ROCK_RIDGE.filter((place) => !place.includes('symlink'));

/** What is found inside of the image. Hard links and twins of other trees may stand for one another. */
function inside(facts: PartialFacts): readonly string[] {
  const all = places(facts)
    .filter((place) => !place.startsWith(' |'))
    .map((place) => place.split(' | ').slice(0, 3).join(' | ').replace('data/twin', 'data/text'));
  return [...new Set(all)].toSorted();
}

describe.skipIf(!needs('xorriso', 'genisoimage', 'gzip', 'tar', 'xz'))('images of ISO 9660', () => {
  const scan = new FileScan(5);
  let work: string;

  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'iso9660-'));
  });

  afterAll(() => {
    rmSync(work, { recursive: true });
  });

  it.each([
    [`${XORRISO} -r`, ROCK_RIDGE],
    [`${XORRISO} -r -J -joliet-long`, ROCK_RIDGE],
    [`${GENISOIMAGE} -r`, ROCK_RIDGE],
    [`${GENISOIMAGE} -r -J`, ROCK_RIDGE],
    [`${GENISOIMAGE} -J -D 2>/dev/null`, JOLIET],
    [`${XORRISO} -r -b data/boot.img -no-emul-boot -boot-load-size 4 -c boot.cat`, ROCK_RIDGE],
    [
      `${GENISOIMAGE} -r -J -b data/boot.img -no-emul-boot -hide data/boot.img -hide-joliet data/boot.img`,
      ROCK_RIDGE,
    ],
    [
      `${XORRISO} -r -partition_offset 16 -appended_part_as_gpt -append_partition 2 0xef tree/data/boot.img`,
      ROCK_RIDGE,
    ],
    [
      `${XORRISO} -r -J -joliet-long -isohybrid-mbr mbr -b data/boot.img -no-emul-boot -boot-load-size 4 -isohybrid-gpt-basdat`,
      ROCK_RIDGE,
    ],
  ])('by %s: leaks of every kind are found, the clean twin is clean', async (maker, expected) => {
    const leaky = await scan.facts('a.iso', imageOf(work, script('/home/noamyr'), maker));
    expect(gaps(leaky)).toEqual([]);
    expect(inside(leaky)).toEqual(expected.toSorted());
    const piped = await scan.facts('a.iso', imageOf(work, script('/home/noamyr'), maker), {
      seekable: false,
    });
    expect([inside(piped), gaps(piped)]).toEqual([inside(leaky), []]);
    // what a member tells better is not told of the image
    expect(places(leaky).filter((place) => place.startsWith(' |'))).toEqual([]);
    const clean = await scan.facts('a.iso', imageOf(work, script('/homes/noamyr-the-other'), maker));
    expect([places(clean), gaps(clean)]).toEqual([[], []]);
  });
});
