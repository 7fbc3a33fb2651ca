import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WELL_FORMED_TREES } from '../../../fixtures/recipes/narWellFormed.ts';
import { linesOf, outcomeOf } from '../../support/narEvents.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures');
const CUTS = [[1], [8], [13, 3], [4096]];
const malformed = readdirSync(join(FIXTURES, 'malformed'));

describe('fixtures/malformed', () => {
  it.each(malformed)('%s fails as its name says, however it is cut', (name) => {
    const bytes = readFileSync(join(FIXTURES, 'malformed', name));
    const outcome = outcomeOf(bytes);
    expect(outcome.error?.code).toBe(name.split('--')[0]);
    for (const sizes of CUTS) expect(outcomeOf(bytes, sizes)).toEqual(outcome);
  });

  it('holds one NAR at least for every code', () => {
    const codes = new Set(malformed.map((name) => name.split('--')[0] ?? ''));
    expect([...codes].toSorted()).toEqual([
      'NAR_BAD_MAGIC',
      'NAR_BAD_NAME',
      'NAR_BAD_TARGET',
      'NAR_DEPTH',
      'NAR_DUPLICATE_NAME',
      'NAR_LENGTH',
      'NAR_PADDING',
      'NAR_TAG',
      'NAR_TRAILING',
      'NAR_TRUNCATED',
      'NAR_UNSORTED',
    ]);
  });
});

describe('fixtures/ok', () => {
  it.each(Object.entries(WELL_FORMED_TREES))('nar-%s.nar is read', (name, tree) => {
    const bytes = readFileSync(join(FIXTURES, 'ok', `nar-${name}.nar`));
    for (const sizes of [[bytes.length], ...CUTS]) {
      expect(outcomeOf(bytes, sizes)).toEqual({ lines: linesOf(tree), path: '', error: null });
    }
  });
});
