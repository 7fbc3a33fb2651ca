import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MALFORMED_NARS } from '../../fixtures/recipes/narMalformed.ts';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { createMatcher } from '../../src/kernel/create.ts';
import { verdictOfOutput } from '../../src/policy/verdict.ts';
import { prepareInspection, type Inspection } from '../../src/sources/inspection.ts';
import { scanSource } from '../../src/sources/narTarget.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';
import { anyMutation, mutate } from '../support/narMutation.ts';
import { PiecedSource } from '../support/piecedSource.ts';
import { directory, file, nar, symlink, type NarTree } from '../support/narWriter.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 5);
const HOME = '/home/noamyr';

/** Fixtures of one file, small enough to be tried a thousand times. */
function fixtureFiles(): [string, NarTree][] {
  const folder = new URL('../../fixtures/leaks/', import.meta.url);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): [string, Buffer] => [entry.name, readFileSync(new URL(entry.name, folder))])
    .filter(([, bytes]) => bytes.length < 40_000)
    .map(([name, bytes]) => [name, file(bytes)]);
}

const TEXT = `${'x'.repeat(9000)} -I${HOME}/src/x.c\n${'y'.repeat(5000)}/home/zoe/a`;
const ALIAS = `see ${HOME}/nix/store/0123456789abcdfghijklmnpqrsvwxyz-foo/bin`;
const LEAKY = directory(
  ['a-script', file(`#!${HOME}/bin/sh\nexec true\n`, true)],
  ['b-text', file(TEXT)],
  ['c-alias', file(ALIAS)],
  ['d-link', symlink(`../../../..${HOME}/x`)],
  ['home', directory(['noamyr', directory(['e', file('')])])],
);
const SEEDS = [
  nar(LEAKY),
  ...fixtureFiles().map(([name, tree]) => nar(directory([name, tree]))),
  ...Object.values(MALFORMED_NARS).filter((bytes) => bytes.length < 12_000),
];

const COMPRESS = [
  (bytes: Buffer): Buffer => bytes,
  (bytes: Buffer): Buffer => gzipSync(bytes),
  (bytes: Buffer): Buffer => zstdCompressSync(bytes),
];

let window: Window;
let inspection: Inspection;

beforeAll(() => {
  const matcher = createMatcher({ size: windowsBytes(0) });
  window = new Window(matcher);
  const context = { homes: [HOME], aliases: [], storeDir: '/nix/store', hashParts: [] };
  inspection = prepareInspection(matcher, context, { maxDepth: 0 });
});

async function factsOf(bytes: Buffer, sizes: readonly number[]) {
  const options = {
    exportStream: false,
    hasher: () => null,
    passed: () => false,
    budget: new Budget(CONTAINER_LIMITS),
  };
  const outputs = await scanSource(new PiecedSource(bytes, sizes), null, window, inspection, options);
  return outputs.map(({ storePath, facts }) => {
    const { findings, gaps, stats } = facts;
    return { storePath, verdict: verdictOfOutput(facts, { strict: false }), findings, gaps, stats };
  });
}

const WHOLE = [windowsBytes(0)];

const anyCase = fc.record({
  seed: fc.constantFrom(...SEEDS),
  inside: fc.array(anyMutation, { maxLength: 3 }),
  compression: fc.nat({ max: COMPRESS.length - 1 }),
  outside: fc.oneof(
    { weight: 3, arbitrary: fc.array(anyMutation, { maxLength: 0 }) },
    fc.array(anyMutation, { maxLength: 1 }),
  ),
  sizes: fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 })), {
    minLength: 1,
  }),
});

describe('mutated streams of NARs', () => {
  it(
    'end with the same verdict and the same facts however they are read',
    { timeout: (SECONDS + 60) * 1000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async ({ seed, inside, compression, outside, sizes }) => {
          const packed = (COMPRESS[compression] ?? gzipSync)(inside.reduce<Buffer>(mutate, seed));
          const bytes = outside.reduce<Buffer>(mutate, packed);
          const whole = await factsOf(bytes, WHOLE);
          expect(await factsOf(bytes, sizes)).toEqual(whole);
        }),
        {
          numRuns: Number.MAX_SAFE_INTEGER,
          interruptAfterTimeLimit: SECONDS * 1000,
          markInterruptAsFailure: false,
        },
      );
    },
  );

  it('are never clean where a leak stands before a fault', async () => {
    const bytes = nar(LEAKY);
    for (let cut = 0; cut < bytes.length; cut += 97) {
      const [output] = await factsOf(bytes.subarray(0, cut), WHOLE);
      expect(output?.verdict).not.toBe('clean');
    }
  });
});
