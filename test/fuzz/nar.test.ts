import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/model/errors.ts';
import { MALFORMED_NARS } from '../../fixtures/recipes/narMalformed.ts';
import { WELL_FORMED_TREES } from '../../fixtures/recipes/narWellFormed.ts';
import { anyChunkSizes, anyTree } from '../support/narArbitrary.ts';
import { outcomeOf } from '../support/narEvents.ts';
import { linesByOracle } from '../support/narOracle.ts';
import { nar, token, uint64 } from '../support/narWriter.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 5);

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
const SEEDS = [...Object.values(WELL_FORMED_TREES).map(nar), ...Object.values(MALFORMED_NARS)].filter(
  (bytes) => bytes.length < 12_000,
);

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** A change of some bytes of a NAR; places are fractions of its size, in steps of 8 where `aligned`. */
const mutation = fc.record({
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
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Buffer, change: Mutation): Buffer {
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

const anyBytes = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...SEEDS) }, { weight: 1, arbitrary: anyTree.map(nar) }),
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
  )
  .map(([bytes, changes]) => changes.reduce(mutate, bytes));

describe('mutated NARs', () => {
  it(
    'end as the tree an oracle reads or with a NAR_ code, the same however they are cut',
    { timeout: (SECONDS + 60) * 1000 },
    () => {
      const seen = new Map<string, number>();
      fc.assert(
        fc.property(anyBytes, anyChunkSizes, (bytes, sizes) => {
          const outcome = outcomeOf(bytes);
          const code = outcome.error?.code ?? 'read';
          seen.set(code, (seen.get(code) ?? 0) + 1);
          expect(code === 'read' || (code.startsWith('NAR_') && code in ERRORS)).toBe(true);
          expect(outcome.error?.offset ?? 0).toBeLessThanOrEqual(bytes.length);
          expect(outcomeOf(bytes, sizes)).toEqual(outcome);
          expect(code === 'read' ? outcome.lines : null).toEqual(linesByOracle(bytes));
        }),
        {
          numRuns: Number.MAX_SAFE_INTEGER,
          interruptAfterTimeLimit: SECONDS * 1000,
          markInterruptAsFailure: false,
        },
      );
      // Mutations that never get past the first token would find nothing.
      if (SECONDS >= 5) {
        const often = ['NAR_BAD_NAME', 'NAR_LENGTH', 'NAR_PADDING', 'NAR_TAG', 'NAR_TRUNCATED', 'read'];
        expect([...seen.keys()]).toEqual(expect.arrayContaining(often));
      }
    },
  );
});
