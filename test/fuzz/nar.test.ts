import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/model/errors.ts';
import { MALFORMED_NARS } from '../../fixtures/recipes/narMalformed.ts';
import { WELL_FORMED_TREES } from '../../fixtures/recipes/narWellFormed.ts';
import { anyChunkSizes, anyTree } from '../support/narArbitrary.ts';
import { outcomeOf } from '../support/narEvents.ts';
import { linesByOracle } from '../support/narOracle.ts';
import { anyMutation, mutate } from '../support/narMutation.ts';
import { nar } from '../support/narWriter.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 5);

const SEEDS = [...Object.values(WELL_FORMED_TREES).map(nar), ...Object.values(MALFORMED_NARS)].filter(
  (bytes) => bytes.length < 12_000,
);

const anyBytes = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...SEEDS) }, { weight: 1, arbitrary: anyTree.map(nar) }),
    fc.array(anyMutation, { minLength: 1, maxLength: 4 }),
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
