import fc from 'fast-check';
import { token, uint64 } from './narWriter.ts';

const TOKENS = [
  '(',
  ')',
  'type',
  'regular',
  'directory',
  'symlink',
  'executable',
  'contents',
  'target',
  'entry',
  'name',
  'node',
  '',
  '..',
  'a',
];

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** A change of some bytes of a NAR; places are fractions of its size, in steps of 8 where `aligned`. */
export const anyMutation = fc.record({
  at: place,
  from: place,
  aligned: fc.boolean(),
  kind: fc.constantFrom('flip', 'set', 'insert', 'replace', 'length', 'delete', 'copy', 'cut'),
  byte: fc.integer({ min: 0, max: 255 }),
  count: fc.integer({ min: 1, max: 64 }),
  token: fc.constantFrom(...TOKENS),
  length: fc.oneof(
    fc.integer({ min: 0, max: 300 }).map(BigInt),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(33n, 255n, 256n, 4095n, 4096n, 2n ** 32n, 2n ** 53n, 2n ** 62n),
  ),
});
type Mutation = typeof anyMutation extends fc.Arbitrary<infer T> ? T : never;

export function mutate(bytes: Buffer, change: Mutation): Buffer {
  const step = change.aligned ? 8 : 1;
  const at = Math.floor((change.at * bytes.length) / step) * step;
  const from = Math.floor((change.from * bytes.length) / step) * step;
  const count = change.count * step;
  const splice = (start: number, removed: number, inserted: Uint8Array): Buffer =>
    Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(start + removed)]);
  switch (change.kind) {
    case 'flip':
      return splice(at, 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << (change.byte & 7))]));
    case 'set':
      return splice(at, 1, Buffer.from([change.byte]));
    case 'insert':
      return splice(at, 0, token(change.token));
    case 'replace':
      return splice(at, 16, token(change.token));
    case 'length':
      return splice(at, 8, uint64(change.length));
    case 'delete':
      return splice(at, count, Buffer.alloc(0));
    case 'copy':
      return splice(at, 0, bytes.subarray(from, from + count));
    case 'cut':
      return bytes.subarray(0, at);
  }
}
