import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';
import { createMatcher } from '../../src/kernel/create.ts';
import { prepareInspection } from '../../src/sources/inspection.ts';
import { scanSource } from '../../src/sources/narTarget.ts';
import { exported, file, nar, uint64 } from '../support/narWriter.ts';
import { PiecedSource } from '../support/piecedSource.ts';

const HOME = '/home/noamyr';

/** The homes that are found in each output of a packed export stream. */
async function homesOf(packed: Buffer): Promise<readonly (readonly unknown[])[]> {
  const matcher = createMatcher({ size: windowsBytes(0) });
  const context = { homes: [HOME], aliases: [], storeDir: '/nix/store', hashParts: [] };
  const outputs = await scanSource(
    new PiecedSource(packed, [1 << 20]),
    null,
    new Window(matcher),
    prepareInspection(matcher, context, { maxDepth: 0 }),
    {
      exportStream: true,
      hasher: () => null,
      passed: () => false,
      budget: new Budget({ ...CONTAINER_LIMITS, depth: 0 }),
    },
  );
  return outputs.map(({ facts }) => facts.findings.map(({ home }) => home));
}

it('what a later output of a stream holds is not said of the first one, though it stands in the packed bytes', async () => {
  const stream = Buffer.concat([
    exported(nar(file('clean')), `/nix/store/${'a'.repeat(32)}-clean`),
    exported(nar(file(`${HOME}/x.c`)), `/nix/store/${'b'.repeat(32)}-leak`),
    uint64(0),
  ]);
  // as it is, in blocks that are stored
  const packed = gzipSync(stream, { level: 0 });
  expect(packed.includes(HOME)).toBe(true);
  expect(await homesOf(packed)).toEqual([[], [HOME]]);
});
