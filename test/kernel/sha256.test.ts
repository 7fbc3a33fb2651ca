import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sha256 } from '../../src/kernel/sha256.ts';

const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** More than it collects at a time. */
const LONG = 200_000;

test('every length up to three blocks, and around what is collected, has the digest of node:crypto', () => {
  const hash = new Sha256();
  const bytes = Buffer.from(Array.from({ length: LONG }, (_, index) => (index * 131) & 255));
  const lengths = [0, 1, 2].flatMap((pages) =>
    Array.from({ length: 200 }, (_, index) => pages * (65_536 - 4096 - 64) + index - (pages === 0 ? 0 : 100)),
  );
  for (const length of lengths) {
    const message = bytes.subarray(0, length);
    hash.update(message);
    expect(hash.digest().toString('hex'), `${length} bytes`).toBe(expected(message));
  }
});

test('one message after another, in pieces or broken off, has the digest of node:crypto', () => {
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    fc.nat(LONG).map((length) => new Uint8Array(length).fill(length)),
  );
  const message = fc.record({ pieces: fc.array(piece, { maxLength: 6 }), broken: fc.boolean() });
  const hash = new Sha256();
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
      for (const { pieces, broken } of messages) {
        for (const bytes of pieces) hash.update(bytes);
        if (broken) hash.discard();
        else expect(hash.digest().toString('hex')).toBe(expected(Buffer.concat(pieces)));
      }
    }),
  );
});

test('the length is counted in bits beyond 32 of them', () => {
  const hash = new Sha256();
  const other = createHash('sha256');
  const bytes = new Uint8Array(2 ** 24).fill(7);
  for (let count = 0; count < 33; count++) {
    hash.update(bytes);
    other.update(bytes);
  }
  expect(hash.digest().toString('hex')).toBe(other.digest('hex'));
});
