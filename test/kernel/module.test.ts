import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GENERATED, GENERATED_SHA256, generate, generateSha256 } from '../../src/kernel/assembly/build.ts';
import { compileKernel } from '../../src/kernel/module.ts';
import { WASM } from '../../src/kernel/wasm.generated.ts';

const FUNCTIONS = [
  'bucketSlot',
  'runSlot',
  'searchAnyBuckets',
  'searchBuckets',
  'searchPairs',
  'searchRuns',
  'searchTriples',
  'setDistances',
  'setRange',
  'swizzlesByNibble',
];
const ADDRESSES = [
  'ALPHABET',
  'CLASSES',
  'ENTRIES',
  'ENTRY_BYTES',
  'FINGERPRINT_HEADS',
  'FLAGS',
  'HITS',
  'HIT_COUNT',
  'MASKS',
  'NEEDLES',
  'NIBBLE',
  'REGION',
  'RUN_HEADS',
  'SLOTS',
];

test('the committed modules are what a build gives', async () => {
  expect(readFileSync(GENERATED, 'utf8')).toBe(await generate());
  expect(readFileSync(GENERATED_SHA256, 'utf8')).toBe(await generateSha256());
});

test.each(['simd', 'relaxed-simd'] as const)(
  'the %s build imports a memory and exports this, nothing else',
  (name) => {
    const module = compileKernel(name);
    const exported = (kind: string): string[] =>
      WebAssembly.Module.exports(module)
        .filter((item) => item.kind === kind)
        .map((item) => item.name)
        .sort();
    expect(exported('function')).toEqual(FUNCTIONS);
    expect(exported('global')).toEqual(ADDRESSES);
    expect(WebAssembly.Module.exports(module)).toHaveLength(FUNCTIONS.length + ADDRESSES.length + 1);
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
  },
);

test('the builds stay small, for the sake of start-up', () => {
  for (const { bytes } of [WASM.simd, WASM['relaxed-simd']]) expect(bytes).toBeLessThan(8192);
});
