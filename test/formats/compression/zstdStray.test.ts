import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ZstdStray } from '../../../src/formats/compression/zstdStray.ts';

/** A piece of a zstd file, and the bytes of it that lie beside blocks. */
interface Part {
  readonly bytes: Buffer;
  readonly beside: Buffer;
}

const skippable = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.uint8Array({ maxLength: 300 }))
  .map(([kind, content]): Part => {
    const head = Buffer.from([0x50 + kind, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    head.writeUInt32LE(content.length, 4);
    const bytes = Buffer.concat([head, content]);
    return { bytes, beside: bytes };
  });

/** A frame of raw and of repeated blocks, without a checksum. */
const frame = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }).map((contents): Part => {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
  const blocks = [...contents, new Uint8Array(0)].flatMap((content, index) => {
    const isLast = index === contents.length;
    // an even one is repeated: one byte stands for many
    const repeats = !isLast && content.length > 0 && index % 2 === 0;
    const word = Number(isLast) | (Number(repeats) << 1) | (content.length << 3);
    const head = Buffer.from([word & 0xff, (word >> 8) & 0xff, word >> 16]);
    return [head, repeats ? content.subarray(0, 1) : content];
  });
  return { bytes: Buffer.concat([header, ...blocks]), beside: header };
});

function besideIn(file: Buffer, sizes: readonly number[]): Buffer {
  const stray = new ZstdStray();
  const found: Buffer[] = [];
  for (let at = 0, turn = 0; at < file.length; turn++) {
    const piece = file.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    for (const { offset, length } of stray.ranges(piece)) {
      expect(length).toBeGreaterThan(0);
      found.push(piece.subarray(offset, offset + length));
    }
    at += piece.length;
  }
  return Buffer.concat(found);
}

const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 });

it('tells all of a zstd file but its blocks, whatever the pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(skippable, frame), { maxLength: 8 }), sizes, (parts, each) => {
      const file = Buffer.concat(parts.map(({ bytes }) => bytes));
      // so that what is tried is what a decoder takes
      if (file.length > 0 && parts.some(({ bytes }) => bytes[0] === 0x28)) zstdDecompressSync(file);
      expect(besideIn(file, each)).toEqual(Buffer.concat(parts.map(({ beside }) => beside)));
    }),
  );
});

it('tells everything from where the file is none', () => {
  fc.assert(
    fc.property(
      skippable,
      fc.uint8Array({ minLength: 4, maxLength: 400 }),
      sizes,
      ({ bytes }, junk, each) => {
        const garbage = Buffer.concat([Buffer.from([0xff]), junk]);
        expect(besideIn(Buffer.concat([bytes, garbage]), each)).toEqual(Buffer.concat([bytes, garbage]));
      },
    ),
  );
});

it('tells the checksum behind the blocks of a frame', () => {
  const [header, block, sum] = [
    [0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58],
    [0x19, 0, 0, 1, 2, 3],
    [7, 7, 7, 7],
  ];
  const file = Buffer.from([header, block, sum, header, block, sum].flat());
  expect([...besideIn(file, [5])]).toEqual([header, sum, header, sum].flat());
});
