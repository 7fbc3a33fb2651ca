import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/model/limits.ts';
import { archive, entry } from '../../formats/tar/writer.ts';
import { writeZip } from '../../support/zipWriter.ts';
import { FileScan, gaps, LEAK, places } from './support.ts';

const scan = new FileScan(6);
const zip = (name: string, content: Uint8Array | string): Buffer =>
  Buffer.from(writeZip([{ name, content }]));
const KNOWN = 'known-home | bytes';

describe('what a file holds', () => {
  it('is told with the names of members from outside in, and its place in each', async () => {
    const inner = zip('a.class', LEAK);
    const outer = archive(entry({ name: 'lib/x.jar' }, inner));
    const facts = await scan.facts('all.tar.gz', gzipSync(outer));
    expect(places(facts)).toEqual([`all.tar > lib/x.jar > a.class | ${KNOWN} | 6 | 0`]);
    expect(facts.gaps).toEqual([]);
  });

  it('is told once where it stands in its container as it is', async () => {
    const facts = await scan.facts('all.tar', archive(entry({ name: 'a.txt' }, LEAK)));
    expect(places(facts)).toEqual([`a.txt | ${KNOWN} | 6 | ${512 + 6}`]);
  });

  it('is told once however often it stands there', async () => {
    const facts = await scan.facts('all.tar', archive(entry({ name: 'a.txt' }, `${LEAK}\n`.repeat(100))));
    const counted = facts.findings.reduce((sum, { more }) => sum + 1 + more, 0);
    expect([counted, facts.findings.every(({ location }) => location.container.length === 1)]).toEqual([
      100,
      true,
    ]);
  });

  it('counts by its names and links, too', async () => {
    const tar = archive(
      entry({ name: 'home/noamyr/.profile' }, 'x'),
      entry({ name: 'link', flag: '2', target: '/home/noamyr/x' }),
      entry({ name: 'hard', flag: '1', target: 'home/noamyr/x' }),
      entry({ name: 'home/zoe/.profile' }, 'x'),
    );
    const said = (await scan.facts('all.tar', tar)).findings.map(({ severity, carrier, home, location }) =>
      [severity, carrier, home, ...location.container].join(' '),
    );
    expect(said).toContain('error entry-name /home/noamyr home/noamyr/.profile');
    expect(said).toContain('error symlink /home/noamyr link');
    expect(said).toContain('error entry-name /home/noamyr hard');
    expect(said).toContain('warning entry-name /home/zoe home/zoe/.profile');
  });

  it('is opened where several containers follow one another', async () => {
    const two = Buffer.concat([
      archive(entry({ name: 'one' }, 'x')),
      Buffer.alloc(1024),
      gzipSync(archive(entry({ name: 'two' }, LEAK))),
    ]);
    const facts = await scan.facts('initrd', two);
    expect(places(facts)).toEqual([`gzip@3072 > two | ${KNOWN} | 6 | 3072`]);
    expect(facts.gaps).toEqual([]);
  });
});

describe('a limit', () => {
  const nested = (times: number): Buffer => {
    let bytes = Buffer.from(LEAK);
    for (let turn = 0; turn < times; turn++) bytes = gzipSync(bytes);
    return bytes;
  };

  it('of depth is a gap at the first container that is not opened', async () => {
    const open = await scan.facts('x', nested(3), { limits: { depth: 3 } });
    expect([open.findings.length, gaps(open)]).toEqual([1, []]);
    const shut = await scan.facts('x', nested(3), { limits: { depth: 2 } });
    expect([shut.findings.length, gaps(shut)]).toEqual([0, ['gzip > gzip > limit-depth']]);
  });

  it('of members is a gap, and what came before it counts', async () => {
    const tar = archive(...['a', 'b', 'c'].map((name) => entry({ name }, `${name}${LEAK}`)));
    const facts = await scan.facts('x.tgz', gzipSync(tar), { limits: { entries: 2 } });
    expect(places(facts).filter((place) => place.startsWith('x.tar > '))).toHaveLength(2);
    expect(gaps(facts)).toContain('x.tar > limit-entries');
  });

  it('of unpacked bytes ends all that is open, and is told once', async () => {
    const big = gzipSync(Buffer.alloc(3 * LIMITS.chunkBytes, 'x'));
    const files = archive(entry({ name: 'a.gz' }, big), entry({ name: 'b.gz' }, gzipSync(LEAK)));
    const facts = await scan.facts('x.tar', files, { limits: { expandedBytes: LIMITS.chunkBytes } });
    expect(gaps(facts)).toEqual(['a.gz > a > limit-size']);
    expect(facts.stats.expandedBytes).toBeLessThan(3 * LIMITS.chunkBytes + LIMITS.chunkBytes);
  });

  it('of expansion is a gap of that stream alone', async () => {
    const bomb = gzipSync(Buffer.alloc(LIMITS.ratioFreeBytes + 4 * LIMITS.chunkBytes));
    const files = archive(entry({ name: 'a.gz' }, bomb), entry({ name: 'b.gz' }, gzipSync(LEAK)));
    const facts = await scan.facts('x.tar', files);
    expect(gaps(facts)).toEqual(['a.gz > a > limit-ratio']);
    expect(places(facts)).toHaveLength(1);
  });

  it('of time is a gap', async () => {
    const facts = await scan.facts('x.gz', gzipSync(LEAK), { limits: { seconds: -1 } });
    // the first look starts the clock
    const later = await scan.facts('x.tgz', gzipSync(archive(entry({ name: 'a' }, LEAK))), {
      limits: { seconds: -1 },
    });
    expect([...gaps(facts), ...gaps(later)].some((gap) => gap.endsWith('limit-time'))).toBe(true);
  });

  it('is the end of the run, too', async () => {
    const facts = await scan.facts('x.gz', gzipSync(LEAK), { ended: () => true });
    expect(gaps(facts).some((gap) => gap.endsWith('limit-time'))).toBe(true);
  });
});

describe('damage', () => {
  it('is a gap, and what was decoded before it counts', async () => {
    const tar = archive(entry({ name: 'a' }, LEAK), entry({ name: 'b' }, Buffer.alloc(90_000, 'b')));
    const cut = gzipSync(tar, { level: 0 }).subarray(0, 40_000);
    for (const seekable of [true, false]) {
      const facts = await scan.facts('x.tgz', cut, { seekable });
      expect(places(facts)).toContain(`x.tar > a | ${KNOWN} | 6 | 0`);
      // the stream is cut; what it held breaks off with it
      expect(gaps(facts)).toEqual(['truncated']);
      expect(facts.gaps[0]?.location.offset).toBe(40_000);
    }
  });

  it('behind a few bytes in the middle of a file is chance', async () => {
    const stub = gzipSync(Buffer.alloc(50_000, 'x'), { level: 0 }).subarray(0, 60);
    const facts = await scan.facts(
      'program',
      Buffer.concat([Buffer.alloc(100, 'a'), stub, Buffer.alloc(100, 'b')]),
    );
    expect([facts.findings, facts.gaps]).toEqual([[], []]);
  });

  it('behind much that was decoded in the middle of a file is a gap', async () => {
    const random = Buffer.from(Array.from({ length: 200_000 }, (_, k) => (k * k * 31 + (k >> 3)) & 0xff));
    const stub = gzipSync(random, { level: 0 }).subarray(0, 150_000);
    const facts = await scan.facts('program', Buffer.concat([Buffer.alloc(100, 'a'), stub]));
    expect(gaps(facts)).toEqual(['truncated']);

    // what follows a whole stream does not hide that an archive in it is cut
    const archived = archive(entry({ name: 'a' }, LEAK)).subarray(0, 520);
    const trailing = Buffer.concat([gzipSync(archived), Buffer.from('something else')]);
    expect(gaps(await scan.facts('x.tgz', trailing))).toContain('x.tar > a > truncated');
  });
});

describe('what is longer than a window', () => {
  it('is read to its end whatever its length beside that of what a decoder gives at once', async () => {
    for (const mebibytes of [1, 2, 3]) {
      for (const more of [-1, 0, 1]) {
        const bytes = Buffer.alloc(mebibytes * 1024 * 1024 + more, '.');
        bytes.write(LEAK, bytes.length - LEAK.length);
        for (const packed of [
          gzipSync(bytes),
          zip('a', bytes),
          zstdCompressSync(bytes),
          brotliCompressSync(bytes),
        ]) {
          const facts = await scan.facts('x.br', packed);
          expect([mebibytes, more, facts.gaps, facts.findings.length > 0]).toEqual([
            mebibytes,
            more,
            [],
            true,
          ]);
        }
      }
    }
  });

  it('is kept to be read again where its tables stand at its end', async () => {
    const filler = Buffer.from(
      Array.from({ length: 3 * LIMITS.chunkBytes }, (_, k) => (k * 7919 + (k >> 7)) & 0xff),
    );
    const long = Buffer.from(
      writeZip([
        { name: 'filler', content: filler, method: 0 },
        { name: 'a.txt', content: LEAK },
      ]),
    );
    const outer = gzipSync(archive(entry({ name: 'x.zip' }, long)));
    for (const seekable of [true, false]) {
      expect(places(await scan.facts('x.tgz', outer, { seekable }))).toHaveLength(1);
      expect(places(await scan.facts('x.zip', long, { seekable }))).toHaveLength(1);
    }
  });

  it('is a gap where there is no room to keep it', async () => {
    const poor = new FileScan(3, { memoryBytes: 0, fileBytes: LIMITS.chunkBytes });
    const long = Buffer.from(
      writeZip([
        { name: 'filler', content: Buffer.alloc(3 * LIMITS.chunkBytes, 'x'), method: 0 },
        { name: 'a.txt', content: LEAK },
      ]),
    );
    expect(gaps(await poor.facts('x.zip', long, { seekable: false }))).toEqual(['limit-memory']);
    expect(gaps(await poor.facts('x.zip', long, { seekable: true }))).toEqual([]);
  });
});
