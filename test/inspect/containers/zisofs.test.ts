import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { FileScan } from './support.ts';

it('a zisofs file of no blocks hides nothing that stands behind it', async () => {
  const header = Buffer.from('37e45396c9dbd60700000000040f0000', 'hex');
  const packed = gzipSync(' /home/noamyr/src/x.c ');
  const { findings } = await new FileScan(4).facts('file', Buffer.concat([header, packed]));
  expect(findings.map(({ rule, home }) => [rule, home])).toContainEqual(['known-home', '/home/noamyr']);
});
