import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/formats/compression/crc32c.ts';
import { decodeSnappyBlock } from '../../../src/formats/compression/snappyBlock.ts';
import { outcomeOf, reusedChunks, sample } from './support.ts';

const IDENTIFIER = Buffer.from('\xff\x06\0\0sNaPpY', 'latin1');
const CONTENT = sample(3000);

function chunk(type: number, content: Buffer, stored: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUIntLE(type + (stored.length + 4) * 256, 0, 4);
  const sum = crc32c(content);
  head.writeUInt32LE((((sum >>> 15) | (sum << 17)) + 0xa282_ead8) >>> 0, 4);
  return Buffer.concat([head, stored]);
}

/** A literal of up to 64 KiB. */
function literal(content: Buffer): Buffer {
  const head = Buffer.from([61 * 4, 0, 0]);
  head.writeUInt16LE(content.length - 1, 1);
  return Buffer.concat([head, content]);
}

function length(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

const block = (content: Buffer): Buffer => Buffer.concat([length(content.length), literal(content)]);
const plain = (content: Buffer): Buffer => chunk(1, content, content);
const packed = (content: Buffer): Buffer => chunk(0, content, block(content));

describe('crc32c', () => {
  it('is that of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283);
  });
});

describe('a snappy block', () => {
  const decoded = (bytes: readonly (number | string)[], room = 64): string | null => {
    const to = new Uint8Array(room);
    const parts = bytes.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part])));
    const { end, valid } = decodeSnappyBlock(Buffer.concat(parts), to);
    return valid ? Buffer.from(to.subarray(0, end)).toString() : null;
  };

  it('has literals, and copies of one, two and four bytes of distance', () => {
    expect(decoded([3, 2 * 4, 'abc'])).toBe('abc');
    expect(decoded([9, 2 * 4, 'abc', 1 + (6 - 4) * 4, 3])).toBe('abcabcabc');
    expect(decoded([8, 2 * 4, 'abc', 2 + 4 * 4, 2, 0])).toBe('abcbcbcb');
    expect(decoded([5, 2 * 4, 'abc', 3 + 1 * 4, 3, 0, 0, 0])).toBe('abcab');
    expect(decoded([3, 60 * 4, 2, 'abc'])).toBe('abc');
  });

  it('is damaged where it reaches out of itself or is not as long as it says', () => {
    for (const wrong of [
      [],
      [0x80],
      [4, 2 * 4, 'abc'],
      [3, 3 * 4, 'abc'],
      [3, 60 * 4],
      [6, 2 * 4, 'abc', 2 + 2 * 4, 4, 0],
      [6, 2 * 4, 'abc', 2 + 2 * 4, 0, 0],
      [6, 2 * 4, 'abc', 2 + 2 * 4, 1],
      [0xff, 0xff, 0xff, 0xff, 0xff, 1, 2 * 4, 'abc'],
    ]) {
      expect(decoded(wrong)).toBe(null);
    }
    expect(decoded([3, 2 * 4, 'abc'], 2)).toBe(null);
  });
});

describe('snappy frames', () => {
  it('are read however they come', async () => {
    const skipped = Buffer.from([0xfe, 3, 0, 0, 1, 2, 3]);
    const parts = [IDENTIFIER, packed(CONTENT), skipped, plain(CONTENT), IDENTIFIER, packed(CONTENT)];
    for (const sizes of [[1], [7, 400], [100_000]]) {
      expect(await outcomeOf('snappy', reusedChunks(Buffer.concat(parts), sizes))).toMatchObject({
        code: null,
        bytes: Buffer.concat([CONTENT, CONTENT, CONTENT]),
      });
    }
  });

  it('give what is there before a fault', async () => {
    const start = Buffer.concat([IDENTIFIER, packed(CONTENT)]);
    const broken = plain(CONTENT);
    broken[4]! ^= 1;
    const faults: readonly (readonly [Buffer, string])[] = [
      [Buffer.alloc(40), 'COMPRESSION_TRAILING'],
      [Buffer.from([2, 1, 0, 0, 9]), 'COMPRESSION_UNSUPPORTED'],
      [Buffer.from([0xff, 6, 0, 0, ...Buffer.from('sNaPpX')]), 'COMPRESSION_CORRUPT'],
      [Buffer.from([0, 0xff, 0xff, 0xff]), 'COMPRESSION_CORRUPT'],
      [Buffer.from([0xfe, 9, 0, 0, 1]), 'COMPRESSION_TRUNCATED'],
      [Buffer.from([0, 9]), 'COMPRESSION_TRUNCATED'],
      [Buffer.from([0, 9, 0, 0, 1, 2, 3]), 'COMPRESSION_TRUNCATED'],
    ];
    for (const [rest, code] of faults) {
      const whole = Buffer.concat([start, rest]);
      expect(await outcomeOf('snappy', [whole])).toMatchObject({ code, bytes: CONTENT });
    }
    const both = Buffer.concat([CONTENT, CONTENT]);
    expect(await outcomeOf('snappy', [start, broken])).toMatchObject({
      code: 'COMPRESSION_CORRUPT',
      bytes: both,
    });
    const cut = await outcomeOf('snappy', [start, packed(CONTENT).subarray(0, -1)]);
    expect(cut.code).toBe('COMPRESSION_TRUNCATED');
    expect(cut.bytes.subarray(0, -1)).toEqual(both.subarray(0, -2));
  });

  it('begin with their identifier', async () => {
    expect((await outcomeOf('snappy', [packed(CONTENT)])).code).toBe('COMPRESSION_CORRUPT');
    expect((await outcomeOf('snappy', [])).code).toBe('COMPRESSION_TRUNCATED');
  });
});
