import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { searchedBytes } from '../../src/inspect/magics.ts';
import { Planner } from '../../src/kernel/plan.ts';
import { compileNeedles } from '../../src/needles/compile.ts';
import { context } from './support.ts';

const FILE = new URL('../../src/inspect/places.generated.ts', import.meta.url);

/** What is searched for whatever is scanned. */
const fixed = (): readonly Uint8Array[] => searchedBytes(compileNeedles(context()), true);

/** Of sixty seeds the one with the fewest candidates in programs, texts and a sample of /usr. */
const SEED = 24;
const ROUNDS = 2000;

const textAt = (needles: readonly Uint8Array[], index: number): string =>
  Buffer.from(needles[index] ?? []).toString('latin1');

function generated(): string {
  const planner = new Planner();
  planner.plan(fixed());
  planner.improve(ROUNDS, SEED);
  const lines = planner.places.map(([needle, bucket, offset]) => {
    const text = Buffer.from(needle, 'latin1').toString('base64');
    return `  ['${text}', ${bucket}, ${offset}],`;
  });
  return `import type { Places } from '../kernel/matcher.ts';

// Made by \`UPDATE_PLACES=1 npx vitest run test/inspect/places.test.ts\`, which compares it, too.

/** Where the kernel finds the needles that are always searched for: planning them takes as long as all else at a start. */
export const PLACES: Places = (
  [
${lines.map((line) => `  ${line}`).join('\n')}
  ] as const
).map(([needle, bucket, offset]) => [Buffer.from(needle, 'base64').toString('latin1'), bucket, offset]);
`;
}

it('the places of needles are those that planning gives', () => {
  if (process.env['UPDATE_PLACES'] === '1') writeFileSync(FILE, generated());
  expect(readFileSync(FILE, 'utf8')).toBe(generated());
});

it('needles are where they were planned before', async () => {
  const { PLACES } = await import('../../src/inspect/places.generated.ts');
  const planner = new Planner();
  const needles = fixed();
  const seeded = planner.plan(needles, PLACES);
  const places = new Map(PLACES.map(([needle, bucket, offset]) => [needle, { bucket, offset }]));
  expect(seeded.strategy).toBe('buckets');
  expect(seeded.fingerprints).toEqual(
    needles.map((_, needle) => ({ needle, ...places.get(textAt(needles, needle)) })),
  );
});

it('needles stay where they were planned before, however many others come', async () => {
  const { PLACES } = await import('../../src/inspect/places.generated.ts');
  const homes = Array.from({ length: 40 }, (_, i) => `/data/people${i % 7}/user${i}`);
  const needles = searchedBytes(compileNeedles({ ...context(), homes }), true);
  expect(needles.length).toBeGreaterThan(2 * PLACES.length);
  const places = new Map(PLACES.map(([needle, bucket, offset]) => [needle, { bucket, offset }]));
  for (const { needle, ...place } of new Planner().plan(needles, PLACES).fingerprints) {
    expect(place).toEqual(places.get(textAt(needles, needle)) ?? place);
  }
});

it('places that fit no needle are passed over', () => {
  const needles = fixed();
  const wrong = needles.map((needle) => [Buffer.from(needle).toString('latin1'), 9, needle.length] as const);
  expect(new Planner().plan(needles, wrong)).toEqual(new Planner().plan(needles));
});

it('in haste those that were planned before stay, and the others get places of their own', async () => {
  const { PLACES } = await import('../../src/inspect/places.generated.ts');
  const needles = searchedBytes(compileNeedles({ ...context(), hashParts: ['0'.repeat(32)] }), true);
  const planned = new Planner().plan(needles, PLACES, true);
  const before = new Map(PLACES.map(([needle, bucket, offset]) => [needle, { bucket, offset }]));
  expect(planned.fingerprints.map(({ needle }) => needle)).toEqual([...needles.keys()]);
  for (const { needle, ...place } of planned.fingerprints) {
    expect(place).toEqual(before.get(textAt(needles, needle)) ?? place);
  }
});
