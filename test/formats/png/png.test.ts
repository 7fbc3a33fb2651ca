import { crc32, deflateSync } from 'node:zlib';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sniffContent } from '../../../src/formats/magic.ts';
import { readPng } from '../../../src/formats/png/png.ts';
import { sample } from '../compression/support.ts';
import { isIncomplete, readAll } from '../zlib/support.ts';

const LEAK = Buffer.from('rendered in /home/alice/figures');

function chunk(type: string, ...parts: (Uint8Array | string)[]): Buffer {
  const data = Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length);
  bytes.write(type, 4, 'latin1');
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), 8 + data.length);
  return bytes;
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const HEADER = chunk('IHDR', '\0\0\0\x01\0\0\0\x01\x08\0\0\0\0');
const PIXELS = chunk('IDAT', deflateSync(Buffer.alloc(2)));
const END = chunk('IEND');
const png = (...chunks: Buffer[]): Buffer => Buffer.concat([SIGNATURE, HEADER, ...chunks, PIXELS, END]);

describe('a PNG image', () => {
  it('gives its compressed texts and its profile, each at its place', async () => {
    const large = sample(2_000_000);
    const bytes = png(
      chunk('iCCP', 'profile\0\0', deflateSync(LEAK)),
      chunk('zTXt', 'Comment\0\0', deflateSync(LEAK)),
      chunk('iTXt', 'Title\0\x01\0en\0\xc3\xa9\0', deflateSync(LEAK)),
      chunk('zTXt', 'Large\0\0', deflateSync(large)),
    );
    expect(sniffContent(bytes, 0, bytes.length, bytes.length)).toBe('png');
    const read = await readAll(readPng, bytes);
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ bytes }) => bytes)).toEqual([LEAK, LEAK, LEAK, large]);
    expect(read.members[0]).toMatchObject({ name: 'zlib@50', offset: 50 });
    expect(bytes.subarray(50).indexOf(deflateSync(LEAK))).toBe(0);
  });

  it('without packed texts holds nothing', async () => {
    for (const bytes of [
      png(),
      png(chunk('tEXt', 'Comment\0/home/alice'), chunk('iTXt', 'Title\0\0\0\0\0/home/alice')),
      png(chunk('zzZz', Buffer.alloc(100_000))),
    ]) {
      expect(await readAll(readPng, bytes)).toEqual({ members: [], faults: [] });
    }
  });

  it('what follows its end is left to others', async () => {
    expect((await readAll(readPng, Buffer.concat([png(), Buffer.from('more')]))).faults).toEqual([]);
  });

  it('that is cut within a chunk is never whole, and its texts are read as far as they go', async () => {
    const text = chunk('zTXt', 'Comment\0\0', deflateSync(LEAK));
    const whole = png(text);
    // between two chunks nothing is unread: some writers leave the last one out
    const borders = [8, HEADER.length, text.length, PIXELS.length].map((_, index, lengths) =>
      lengths.slice(0, index + 1).reduce((sum, length) => sum + length, 0),
    );
    for (let end = 8; end < whole.length; end += 1) {
      const read = await readAll(readPng, whole.subarray(0, end));
      expect(isIncomplete(read), `cut at ${end}`).toBe(!borders.includes(end));
    }
    const large = png(chunk('zTXt', 'Comment\0\0', deflateSync(sample(300_000))));
    const cut = await readAll(readPng, large.subarray(0, large.length - 5000));
    expect(cut.members[0]?.bytes.length).toBeGreaterThan(100_000);
  });

  it.each([
    ['no keyword', chunk('zTXt', Buffer.alloc(200, 'k'), deflateSync(LEAK)), 'corrupt'],
    ['an unknown packing', chunk('zTXt', 'k\0\x01', deflateSync(LEAK)), 'unsupported'],
    ['nothing behind the keyword', chunk('zTXt', 'k\0'), 'unsupported'],
    ['a language without end', chunk('iTXt', 'k\0\x01\0', Buffer.alloc(70_000, 'e')), 'corrupt'],
    ['bytes behind the text', chunk('zTXt', 'k\0\0', deflateSync(LEAK), deflateSync(LEAK)), 'corrupt'],
    ['a chunk of no name', chunk('\0\0\0\0', 'data'), 'corrupt'],
  ])('%s is a fault', async (_, part, reason) => {
    expect((await readAll(readPng, png(part))).faults[0]).toMatch(reason);
  });

  it('of any chunks is read in full, and random bytes never throw', async () => {
    const text = fc.uint8Array({ maxLength: 500 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 6 }),
        fc.uint8Array({ minLength: 1, maxLength: 99 }),
        async (all, noise) => {
          const bytes = png(...all.map((data) => chunk('zTXt', 'k\0\0', deflateSync(data))));
          const read = await readAll(readPng, bytes);
          expect(read.members.map(({ bytes }) => bytes)).toEqual(all.map((data) => Buffer.from(data)));
          expect(isIncomplete(read)).toBe(false);
          expect(isIncomplete(await readAll(readPng, Buffer.concat([SIGNATURE, HEADER, noise])))).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('images of this machine', () => {
  it('are whole', async () => {
    const names = readdirSync('/usr/share', { recursive: true, encoding: 'latin1' })
      .filter((name) => name.endsWith('.png'))
      .map((name) => join('/usr/share', name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
    for (const path of names.slice(0, 100)) {
      expect(isIncomplete(await readAll(readPng, readFileSync(path))), path).toBe(false);
    }
  });
});
