import { beforeAll, describe, expect, it } from 'vitest';
import { pack } from '../../formats/squashfs/support.ts';
import { needs } from '../../support/programs.ts';
import { FileScan, gaps, LEAK, places } from './support.ts';

let scan: FileScan;
beforeAll(() => {
  scan = new FileScan(4);
});

const PROGRAM = Buffer.alloc(5000, 'what loads the image\n');
const tree = (text: string, home: string): Readonly<Record<string, string | Uint8Array>> => ({
  'bin/tool': `${'some text\n'.repeat(40)}${text}`,
  'bin/link': `-> ${home}/tool`,
  'share/large': Array.from({ length: 90_000 }, (_, at) => `word ${(at * 7919) % 65_537}`).join('\n'),
});

/** What was found in members; fast packers leave text in the image as it is. */
const inside = (facts: Parameters<typeof places>[0]): readonly string[] =>
  places(facts)
    .filter((place) => !place.startsWith(' |'))
    .toSorted();

describe.skipIf(!needs('mksquashfs'))('a squashfs image', () => {
  for (const compressor of ['gzip', 'xz', 'zstd', 'lz4']) {
    it.each([true, false])(
      `packed by ${compressor} is opened, alone and behind a program; seekable: %s`,
      async (seekable) => {
        const image = pack(tree(LEAK, '/home/noamyr'), '-comp', compressor);
        const wanted = [
          expect.stringMatching(/^bin\/link \| known-home \| symlink/),
          expect.stringMatching(/^bin\/tool \| known-home \| bytes \| 406/),
        ];
        const alone = await scan.facts('image', image, { seekable });
        expect([inside(alone), gaps(alone)]).toEqual([wanted, []]);
        const behind = await scan.facts('program', Buffer.concat([PROGRAM, image]), { seekable });
        expect([inside(behind), gaps(behind)]).toEqual([
          wanted.map((match) => expect.stringMatching(`squashfs@5000 > ${match.sample.source.slice(1)}`)),
          [],
        ]);
      },
    );

    it(`packed by ${compressor} that leaks nothing is clean, also between other things`, async () => {
      const image = pack(
        tree('nothing', '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x'),
        '-comp',
        compressor,
      );
      for (const bytes of [image, Buffer.concat([PROGRAM, image, PROGRAM])]) {
        const facts = await scan.facts('image', bytes);
        expect([places(facts), gaps(facts)]).toEqual([[], []]);
      }
    });
  }

  it('holds archives that are opened in turn, and lies in others', async () => {
    const inner = pack({ 'etc/profile': `${'x'.repeat(100)}${LEAK}` });
    const outer = pack({ 'boot/inner.squashfs': inner }, '-comp', 'xz');
    expect(places(await scan.facts('outer', outer))[0]).toMatch(/^boot\/inner\.squashfs > etc\/profile \|/);
  });

  it('is told once where what leaks lies in it as it is', async () => {
    const image = pack({ plain: `${'x'.repeat(100)}${LEAK}` }, '-noI', '-noD', '-noF', '-noX');
    const facts = await scan.facts('image', image);
    const at = image.indexOf(LEAK) + LEAK.indexOf('/home');
    expect(places(facts)).toEqual([`plain | known-home | bytes | ${100 + LEAK.indexOf('/home')} | ${at}`]);
  });

  it('that cannot be opened, or is damaged, is a gap also in the middle of a file', async () => {
    const lzo = pack({ a: LEAK }, '-comp', 'lzo');
    const cut = pack(tree(LEAK, '/home/noamyr')).subarray(0, 3000);
    const damaged = pack(tree('nothing', '/x'));
    damaged.writeBigUInt64LE(5n, 32);
    for (const [bytes, reason] of [
      [lzo, 'unsupported'],
      [cut, 'truncated'],
      [damaged, 'corrupt'],
    ] as const) {
      for (const file of [bytes, Buffer.concat([PROGRAM, bytes])]) {
        expect(gaps(await scan.facts('image', file)).join('\n')).toContain(reason);
      }
    }
  });

  it('is one of the containers that are not opened where no more may be', async () => {
    const none = new FileScan(0);
    const facts = await none.facts('image', pack({ a: LEAK }));
    expect(gaps(facts)).toEqual(['limit-depth']);
  });

  it('of contents that expand without end is left at the ratio', async () => {
    const image = pack({ zeros: Buffer.alloc(90 * 1024 * 1024, 'a'), leak: `${'x'.repeat(9)}${LEAK}` });
    const facts = await scan.facts('image', image, { limits: { ratio: 2 } });
    expect(gaps(facts)).toEqual(['zeros > limit-ratio']);
    expect(places(facts)[0]).toMatch(/^leak \|/);
  });
});
