import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../../src/inspect/containers/budget.ts';
import { Window, windowsBytes } from '../../../src/inspect/window.ts';
import { createMatcher } from '../../../src/kernel/create.ts';
import type { PartialFacts } from '../../../src/sources/factSink.ts';
import { prepareInspection, type Inspection } from '../../../src/sources/inspection.ts';
import { scanSource } from '../../../src/sources/narTarget.ts';
import { directory, file, nar } from '../../support/narWriter.ts';
import { PiecedSource } from '../../support/piecedSource.ts';
import { writeZip } from '../../support/zipWriter.ts';

const DEPTH = 4;
const LEAK = 'puts("/home/noamyr/src/secret.c");'.repeat(3);
const KiB = 1024;

let window: Window;
let inspection: Inspection;

beforeAll(() => {
  const matcher = createMatcher({ size: windowsBytes(DEPTH) });
  window = new Window(matcher);
  const context = { homes: ['/home/noamyr'], aliases: [], storeDir: '/nix/store', hashParts: [] };
  inspection = prepareInspection(matcher, context, { maxDepth: DEPTH });
});

async function factsOf(bytes: Buffer, seekable: boolean): Promise<PartialFacts> {
  const options = {
    exportStream: false,
    hasher: () => null,
    passed: () => false,
    budget: new Budget({ ...CONTAINER_LIMITS, depth: DEPTH }),
  };
  const dump = nar(directory(['file', file(bytes)], ['other', file(Buffer.alloc(900 * KiB, 'z'))]));
  const source = new PiecedSource(dump, [300 * KiB], seekable);
  const [output] = await scanSource(source, null, window, inspection, options);
  if (output === undefined) throw new Error('no output');
  return output.facts;
}

const text = (bytes: number): Buffer => Buffer.alloc(bytes, 'some text of no meaning\n');
/** Bytes that no packer makes smaller. */
const noise = (bytes: number): Buffer => {
  const words = new Uint32Array(bytes / 4);
  for (let index = 0, word = 1; index < words.length; index++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = word ^ (word >>> 13);
  }
  return Buffer.from(words.buffer);
};
const zip = (content: string | Uint8Array, shape = {}): Buffer =>
  Buffer.from(writeZip([{ name: 'a.txt', content }], shape));
const join = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));

function tar(name: string, content: string | Uint8Array): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644', 100);
  header.write(body.length.toString(8).padStart(11, '0'), 124);
  header.write('        0', 148);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return join(header, body, Buffer.alloc((512 - (body.length % 512)) % 512), Buffer.alloc(1024));
}

const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489' +
    '0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082',
  'hex',
);
/** A chunk that nobody knows. */
function chunk(data: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return join(length, 'teSt', data, Buffer.alloc(4));
}
const SCRIPT = '#!/bin/sh\nexit\n';
const packed = zstdCompressSync(LEAK);
const small = nar(directory(['a', file('nothing')]));

/** Each ends with the leak somewhere behind, before or between what has its own readers. */
const HIDDEN: Readonly<Record<string, () => Buffer>> = {
  'a zip behind an image': () => join(PNG, zip(LEAK)),
  'a stream in a chunk of an image': () => join(PNG.subarray(0, 33), chunk(packed), PNG.subarray(33)),
  'a tar archive with a name behind an image': () => join(PNG, tar('home/noamyr/x', 'x')),
  'a stream behind a NAR': () => join(small, packed),
  'a zip behind a NAR': () => join(small, zip(LEAK)),
  'a stream behind a long NAR': () => join(nar(directory(['a', file(noise(600 * KiB))])), packed),
  'a stream before a zip': () => join(SCRIPT, packed, zip('nothing', { relative: true })),
  'a stream between the members and the directory of a zip': () =>
    zip('nothing', { beforeDirectory: packed }),
  'a stream in the comment of a zip': () => zip('nothing', { comment: packed }),
  'a zip with a line end behind it': () => join(SCRIPT, zip(LEAK, { relative: true }), '\n'),
  'a zip with a signature behind it': () => join(SCRIPT, zip(LEAK), noise(20 * KiB)),
  'a zip in the middle': () => join(text(70 * KiB), zip(LEAK), text(90 * KiB)),
  'a zip stored in one in the middle': () =>
    join(text(90), writeZip([{ name: 'in.zip', content: zip(LEAK), method: 0 }]), text(90)),
  'the first of two zips in the middle': () => join(SCRIPT, zip(LEAK), text(90), zip('nothing'), text(90)),
  'the second of two zips in the middle': () => join(SCRIPT, zip('nothing'), text(90), zip(LEAK), text(90)),
  'a zip of the file’s offsets in the middle': () => join(zip(LEAK, { prefix: text(90) }), text(90 * KiB)),
  'a zip behind a long tar archive': () => join(tar('a', noise(600 * KiB)), zip(LEAK)),
  'a second tar archive behind a long one': () => join(tar('a', noise(600 * KiB)), tar('home/noamyr/x', 'x')),
  'a second tar archive far behind a long one': () =>
    join(tar('a', noise(600 * KiB)), Buffer.alloc(1500 * KiB), tar('home/noamyr/x', 'x')),
  'a tar archive behind a long gzip stream': () =>
    join(gzipSync(noise(600 * KiB)), tar('home/noamyr/x', 'x')),
  'a small zip behind a long text': () => join(text(700 * KiB), zip(LEAK)),
  'a long zip behind a longer text': () =>
    join(
      text(2000 * KiB),
      Buffer.from(
        writeZip([
          { name: 'a', content: LEAK },
          { name: 'b', content: noise(1500 * KiB) },
        ]),
      ),
    ),
};

/** The same as they are, and packed once more. */
const AROUND: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'as it is': (bytes) => bytes,
  'in gzip': (bytes) => gzipSync(bytes, { level: 1 }),
  'stored in a zip': (bytes) => Buffer.from(writeZip([{ name: 'm', content: bytes, method: 0 }])),
};

describe('what stands beside a container', () => {
  for (const [around, wrap] of Object.entries(AROUND)) {
    it.each(Object.keys(HIDDEN))(`%s is found, ${around}`, async (name) => {
      const bytes = wrap((HIDDEN[name] as () => Buffer)());
      for (const seekable of [true, false]) {
        const { findings, gaps } = await factsOf(bytes, seekable);
        expect(findings.map(({ rule }) => rule)).toContain('known-home');
        expect(gaps).toEqual([]);
      }
    });
  }

  it('is a gap where it lies too deep', async () => {
    let bytes = join(text(90), zip(LEAK), text(90));
    for (let depth = 0; depth < DEPTH; depth++) bytes = gzipSync(bytes);
    const { findings, gaps } = await factsOf(bytes, true);
    expect(findings).toEqual([]);
    expect(gaps.map(({ reason }) => reason)).toEqual(['limit-depth']);
  });

  it('is no archive where only its end record is there, and no gap', async () => {
    const archive = zip(LEAK);
    const { findings, gaps } = await factsOf(join(text(90), archive.subarray(-22), text(90)), true);
    expect({ findings, gaps }).toEqual({ findings: [], gaps: [] });
  });

  it('is a gap where archives overlap, and takes no time without bound', async () => {
    let bytes = join('.', zip(LEAK), zip(LEAK).subarray(-22), text(90));
    const one = await factsOf(bytes, true);
    expect(one.findings.map(({ rule }) => rule)).toContain('known-home');
    expect(one.gaps.map(({ reason }) => reason)).toContain('corrupt');
    const begun = performance.now();
    for (let depth = 0; depth < 3; depth++) {
      const archive = Buffer.from(writeZip([{ name: 'm', content: bytes, method: 0 }]));
      bytes = join('.', archive, ...Array.from({ length: 900 }, () => archive.subarray(-22)), text(90));
    }
    const { gaps } = await factsOf(bytes, true);
    expect(gaps).not.toEqual([]);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
