import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sniffContent } from '../../../src/formats/magic.ts';
import { readObjectsInventory } from '../../../src/formats/sphinx/inventory.ts';
import { sample } from '../compression/support.ts';
import { readAll, texts } from '../zlib/support.ts';

const HEAD =
  '# Sphinx inventory version 2\n# Project: x\n# Version: \n' +
  '# The remainder of this file is compressed using zlib.\n';
const ENTRIES = 'x py:module 0 /home/alice/x.html#$ -\n';
const inventory = (body: Uint8Array, head = HEAD): Buffer => Buffer.concat([Buffer.from(head), body]);

describe('objects.inv', () => {
  it('holds one zlib stream behind four lines', async () => {
    const bytes = inventory(deflateSync(ENTRIES));
    expect(sniffContent(bytes, 0, bytes.length, bytes.length)).toBe('sphinx-inventory');
    const read = await readAll(readObjectsInventory, bytes);
    expect(texts(read)).toEqual([ENTRIES]);
    expect(read.members[0]).toMatchObject({
      name: `zlib@${HEAD.length}`,
      offset: HEAD.length,
      code: null,
    });
    expect(read.faults).toEqual([]);
    const large = sample(3_000_000);
    expect((await readAll(readObjectsInventory, inventory(deflateSync(large)))).members[0]?.bytes).toEqual(
      large,
    );
  });

  it('with bytes behind the stream is corrupt, and what it holds is read', async () => {
    const packed = deflateSync(ENTRIES);
    const read = await readAll(readObjectsInventory, inventory(Buffer.concat([packed, Buffer.from('x')])));
    expect(texts(read)).toEqual([ENTRIES]);
    expect(read.faults).toEqual([`corrupt@${HEAD.length + packed.length}`]);
  });

  it('that is cut or damaged is never whole', async () => {
    const whole = inventory(deflateSync(ENTRIES.repeat(50)));
    for (let end = 30; end < whole.length; end += 1) {
      const read = await readAll(readObjectsInventory, whole.subarray(0, end));
      const code = read.members[0]?.code ?? read.faults[0];
      expect(code, `cut at ${end}`).toMatch(/TRUNCATED|truncated/);
    }
    const plain = await readAll(readObjectsInventory, inventory(Buffer.from('plain text')));
    expect(plain.members[0]?.code).toBe('COMPRESSION_CORRUPT');
    const endless = await readAll(readObjectsInventory, Buffer.alloc(100_000, HEAD.slice(0, -30)));
    expect(endless.members[0]?.code ?? endless.faults[0]).toMatch(/corrupt/i);
  });
});
