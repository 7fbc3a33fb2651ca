import { describe, expect, it } from 'vitest';
import { readAr } from '../../src/formats/ar/ar.ts';
import type { StreamContainer } from '../../src/formats/container.ts';
import { readCpio } from '../../src/formats/cpio/cpio.ts';
import { readTar } from '../../src/formats/tar/tar.ts';
import { reusedChunks } from '../formats/compression/support.ts';
import * as cpio from '../formats/cpio/writer.ts';
import * as tar from '../formats/tar/writer.ts';
import { readAll } from '../support/containerItems.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 5);

/** A small generator of its own, so that a failure can be run again by its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const TAR = tar.archive(
  tar.entry({ name: 'a', prefix: 'pre' }, 'x'.repeat(700)),
  tar.pax({ path: 'long/name', size: '512', 'GNU.sparse.name': 'real', 'GNU.sparse.major': '1' }),
  tar.entry({ name: 'b' }, `1\n0\n4\n${'\0'.repeat(506)}`),
  tar.long('L', 'l'.repeat(300)),
  tar.entry({ name: 'c', magic: tar.GNU, flag: '2', target: 't' }),
  tar.entry({ name: 's', magic: tar.GNU, flag: 'S' }, 'z'),
);

const CPIO = Buffer.concat(
  (['newc', 'crc', 'odc'] as const).flatMap((format) => [
    cpio.member(format, { name: 'a', contents: 'odd' }),
    cpio.member(format, { name: 'l', mode: 0o120777, contents: 'target' }),
    cpio.trailer(format),
    Buffer.alloc(32),
  ]),
);

const AR = Buffer.from(
  [
    '!<arch>\n',
    ...[
      ['//', 'long-name.o/\n\n'],
      ['/0', 'ab'],
      ['#1/4', 'nameabcd'],
      ['b.o/', 'odd\n'],
    ].map(([name, contents]) => `${name!.padEnd(48)}${String(contents!.length).padEnd(10)}\`\n${contents}`),
  ].join(''),
);

const ARCHIVES: readonly { name: string; reader: StreamContainer; bytes: Buffer }[] = [
  { name: 'tar', reader: readTar, bytes: TAR },
  { name: 'cpio', reader: readCpio, bytes: CPIO },
  { name: 'ar', reader: readAr, bytes: AR },
];

function mutate(data: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(data);
  for (let left = 1 + random(3); left > 0 && bytes.length > 0; left -= 1) {
    const at = random(bytes.length);
    switch (random(4)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = [0, 0x20, 0x30, 0x37, 0x38, 0x66, 0x80, 0xff][random(8)]!;
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      default:
        bytes.copy(bytes, at, random(bytes.length));
    }
    if (random(2) === 0) sign(bytes, 512 * random(Math.ceil(bytes.length / 512)));
  }
  return bytes;
}

/** Makes the checksum of a tar header right, so that a change gets behind it. */
function sign(bytes: Buffer, at: number): void {
  if (at + 512 > bytes.length) return;
  bytes.fill(0x20, at + 148, at + 156);
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
}

describe('mutated archives', () => {
  it.each(ARCHIVES)(
    'of $name end well or with a fault of the table, the same in any chunks',
    { timeout: (SECONDS + 60) * 1000 },
    async ({ reader, bytes }) => {
      expect(await readAll(reader, [bytes])).toMatchObject({ faults: [], code: null });
      const first = Date.now();
      for (let seed = first; Date.now() - first < (SECONDS * 1000) / ARCHIVES.length; seed += 1) {
        const random = randomOf(seed);
        const mutated = mutate(bytes, random);
        const read = await readAll(reader, [mutated]);
        expect(read.code ?? 'CONTAINER_', `seed ${seed}`).toMatch(/^CONTAINER_/);
        // Either it ended, or it says why not.
        expect(read.end === null, `seed ${seed}`).toBe(read.code !== null);
        const sizes = Array.from({ length: 1 + random(4) }, () => 1 + random(900));
        expect(await readAll(reader, reusedChunks(mutated, sizes)), `seed ${seed}`).toEqual(read);
      }
    },
  );
});
