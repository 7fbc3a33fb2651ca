import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readZisofs } from '../../../src/formats/iso9660/zisofs.ts';
import { FileScan, gaps, places } from '../../inspect/containers/support.ts';
import { needs } from '../../support/programs.ts';
import { readAll } from '../zlib/support.ts';
import { imageOf } from './support.ts';

type Version = 1 | 2;
const BLOCK = 32_768;

/** A zisofs file of either version: header, pointers, blocks. */
function zisofs(version: Version, content: Buffer): Buffer {
  const width = version === 1 ? 4 : 8;
  const header = Buffer.alloc(version === 1 ? 16 : 24);
  header.write(version === 1 ? '37e45396c9dbd607' : 'ef2255a1bc1b95a0', 'hex');
  if (version === 1) header.writeUInt32LE(content.length, 8);
  else header.writeUInt32LE(content.length, 12);
  header.set(version === 1 ? [4, 15] : [0, 6, 1, 15], version === 1 ? 12 : 8);
  const blocks: Buffer[] = [];
  for (let at = 0; at < content.length; at += BLOCK) {
    const block = content.subarray(at, at + BLOCK);
    blocks.push(block.some((byte) => byte !== 0) ? deflateSync(block) : Buffer.alloc(0));
  }
  const pointers = Buffer.alloc((blocks.length + 1) * width);
  let end = header.length + pointers.length;
  for (const [index, block] of [...blocks, Buffer.alloc(0)].entries()) {
    pointers.writeUInt32LE(end, index * width);
    end += block.length;
  }
  return Buffer.concat([header, pointers, ...blocks]);
}

const VERSIONS: readonly Version[] = [1, 2];
/** Three blocks, the second all zeros. */
const CONTENT = Buffer.concat([Buffer.alloc(BLOCK, 'one '), Buffer.alloc(BLOCK), Buffer.from('/home/alice')]);

describe.each(VERSIONS)('a zisofs file of version %i', (version) => {
  it('gives what was packed', async () => {
    for (const content of [CONTENT, Buffer.alloc(0), Buffer.alloc(BLOCK, 'x'), Buffer.alloc(3 * BLOCK)]) {
      const { members, faults } = await readAll(readZisofs, zisofs(version, content));
      expect(faults).toEqual([]);
      expect(members).toMatchObject([{ name: 'zisofs', bytes: content, code: null }]);
    }
  });

  it('with a damaged block gives the others, and is not whole', async () => {
    const bytes = zisofs(version, CONTENT);
    const at = bytes.indexOf(deflateSync(CONTENT.subarray(0, BLOCK))) + 8;
    bytes.fill(0xff, at, at + 4);
    const { members } = await readAll(readZisofs, bytes);
    expect(members[0]?.code).toBe('CONTAINER_CORRUPT');
    expect(members[0]?.bytes.includes('/home/alice')).toBe(true);
  });

  it('that is cut is not whole', async () => {
    const bytes = zisofs(version, CONTENT);
    for (let end = version === 1 ? 16 : 24; end < bytes.length; end += 1) {
      const { members } = await readAll(readZisofs, bytes.subarray(0, end));
      expect(members[0]?.code, `cut at ${end}`).toMatch(/^CONTAINER_/);
    }
  });

  it('of any bytes ends well', async () => {
    const bytes = zisofs(version, CONTENT);
    const flip = fc.tuple(fc.nat(120), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { maxLength: 5 }), async (flips) => {
        const changed = Buffer.from(bytes);
        // a size of terabytes, all zeros, ends by the budget
        for (const [at, byte] of flips) if (at < 8 || at > 20) changed[at] = byte;
        await readAll(readZisofs, changed);
      }),
      { numRuns: 300 },
    );
  });
});

describe.skipIf(!needs('xorriso'))('an image whose files are packed', () => {
  const scan = new FileScan(5);
  let work: string;
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'zisofs-'));
  });
  afterAll(() => {
    rmSync(work, { recursive: true });
  });

  const imageWith = (home: string, version: string): Buffer =>
    imageOf(
      work,
      `printf '/homestead enoamyr/\\n${home}/answer\\n%.0s' $(seq 400) > tree/text`,
      `z() { xorriso -outdev a.iso -zisofs ${version} -map tree / -set_filter_r --zisofs / -- -commit; }; z`,
    );

  it.each(['version_2=off', 'version_2=on'])(
    '%s: a leak is found, the clean twin is clean',
    async (version) => {
      const leaky = await scan.facts('a.iso', imageWith('/home/noamyr', version));
      expect(gaps(leaky)).toEqual([]);
      expect(places(leaky)[0]).toMatch(/^text > zisofs \| known-home \| bytes \| 20 \|/);
      const clean = await scan.facts('a.iso', imageWith('/homes/noamyr-the-other', version));
      expect([places(clean), gaps(clean)]).toEqual([[], []]);
    },
  );
});
