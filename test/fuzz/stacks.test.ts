import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';
import { createMatcher } from '../../src/kernel/create.ts';
import type { PartialFacts } from '../../src/sources/factSink.ts';
import { prepareInspection, type Inspection } from '../../src/sources/inspection.ts';
import { scanSource } from '../../src/sources/narTarget.ts';
import { SPELLINGS } from '../inspect/encoded/support.ts';
import { directory, file, nar } from '../support/narWriter.ts';
import { PiecedSource } from '../support/piecedSource.ts';
import { below, WRAPPINGS, type Named } from '../support/wrappings.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 8);
const HOME = '/home/noamyr';
const DEPTH = 8;

let window: Window;
let inspection: Inspection;

beforeAll(() => {
  const matcher = createMatcher({ size: windowsBytes(DEPTH) });
  window = new Window(matcher);
  const context = { homes: [HOME], aliases: [], storeDir: '/nix/store', hashParts: [] };
  inspection = prepareInspection(matcher, context, { maxDepth: DEPTH });
});

async function factsOf(bytes: Buffer, sizes: readonly number[], seekable: boolean): Promise<PartialFacts> {
  const options = {
    exportStream: false,
    hasher: () => null,
    passed: () => false,
    budget: new Budget(CONTAINER_LIMITS),
  };
  const source = new PiecedSource(bytes, sizes, seekable);
  const [output, ...others] = await scanSource(source, null, window, inspection, options);
  if (output === undefined || others.length > 0) throw new Error('not one output');
  return output.facts;
}

/** What must not depend on how the bytes came. */
const said = ({ findings, gaps, stats }: PartialFacts) => ({ findings, gaps, stats });

const WHOLE = [1 << 30];

const anyCase = fc.record({
  spelling: fc.constantFrom(...SPELLINGS),
  before: fc.oneof(fc.nat(40), fc.nat(5000), fc.integer({ min: 510_000, max: 540_000 })),
  after: fc.oneof(fc.nat(40), fc.nat(9000)),
  stack: fc.array(fc.tuple(fc.constantFrom(...WRAPPINGS), fc.nat(3000)), { maxLength: 4 }),
  sizes: fc.array(fc.oneof(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: 600_000 })), {
    minLength: 1,
    maxLength: 8,
  }),
});

describe('any home in any encoding inside any stack of containers', () => {
  it(
    'is found, and nothing depends on how the bytes came',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async ({ spelling, before, after, stack, sizes }) => {
          const leak = spelling.encode(`"${HOME}/src/x.c"`);
          // a wide text may stand at any byte
          const bytes = Buffer.concat([Buffer.alloc(before, '.\n'), leak, Buffer.alloc(after, ' ')]);
          let wrapped: Named = { name: 'leak.txt', bytes };
          let depth = 0;
          for (const [wrapping, salt] of stack) {
            // what has no magic is told by its name only
            fc.pre(wrapping.keepsName || !/\.br(?:\.[a-z0-9]+)*$|objects/.test(wrapped.name));
            depth += 1;
            wrapped = wrapping.wrap(wrapped, salt);
          }
          const dump = nar(directory(...below(wrapped.name, file(wrapped.bytes))));
          const facts = await factsOf(dump, WHOLE, true);
          const found = facts.findings.filter(
            ({ rule, location }) => rule === 'known-home' && location.container.length === depth,
          );
          expect(facts.gaps).toEqual([]);
          expect(found).not.toEqual([]);
          expect(found.map(({ encoding }) => encoding.slice(0, 5))).toContain(spelling.encoding.slice(0, 5));
          expect(found.map(({ home }) => home)).toContain(HOME);
          expect(said(await factsOf(dump, sizes, true))).toEqual(said(facts));
          expect(said(await factsOf(dump, sizes, false))).toEqual(said(facts));
        }),
        { numRuns: 1_000_000, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false },
      );
    },
    (SECONDS + 120) * 1000,
  );
});
