import { describe, expect, it } from 'vitest';
import { CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { contextsOf, type OutputConditions } from '../../src/ledger/context.ts';
import { decoderVersions, engineVersion } from '../../src/ledger/engine.ts';
import type { RunConditions } from '../../src/scan/memory.ts';

const path = (hash: string, name = 'x'): string => `/nix/store/${hash.repeat(32)}-${name}`;

const ENGINE = ['0.1.0', 'zlib 1'];
const RUN: RunConditions = {
  context: {
    homes: ['/home/noamyr', '/home/alice'],
    aliases: ['/home/noamyr/nix/store'],
    storeDir: '/nix/store',
    hashParts: [],
    edits: {
      allow: ['/home/build'],
      placeholders: { add: ['alex'], remove: [] },
      imagePrefixes: { add: [], remove: ['/mnt'] },
    },
  },
  limits: CONTAINER_LIMITS,
  digests: false,
};
const OUTPUT: OutputConditions = {
  info: { storePath: path('a'), references: [path('b'), path('a'), path('c')] },
  aliases: ['/gpfs/nix/store'],
};

const context = (run: Partial<RunConditions['context']>): RunConditions => ({
  ...RUN,
  context: { ...RUN.context, ...run },
});
const limits = (changed: Partial<RunConditions['limits']>): RunConditions => ({
  ...RUN,
  limits: { ...RUN.limits, ...changed },
});
const edits = (changed: object): RunConditions =>
  context({
    edits: { ...(RUN.context.edits as NonNullable<RunConditions['context']['edits']>), ...changed },
  });
const info = (changed: Partial<OutputConditions['info']>): OutputConditions => ({
  ...OUTPUT,
  info: { ...OUTPUT.info, ...changed },
});

const known = contextsOf(ENGINE, RUN)(OUTPUT);

describe('the context of facts', () => {
  it('is one line of hexadecimal digits, the same for the same', () => {
    expect(known).toMatch(/^[0-9a-f]{64}$/);
    expect(contextsOf([...ENGINE], structuredClone(RUN))(structuredClone(OUTPUT))).toBe(known);
  });

  it.each([
    ['the order of references', info({ references: OUTPUT.info.references.toReversed() })],
    ['what references are called', info({ references: [path('b', 'y'), path('a'), path('c')] })],
    ['a reference named twice', info({ references: [...OUTPUT.info.references, path('b')] })],
  ])('is the same whatever %s', (_what, output) => {
    expect(contextsOf(ENGINE, RUN)(output)).toBe(known);
  });

  it.each<readonly [string, RunConditions]>([
    ['a home more', context({ homes: [...RUN.context.homes, '/home/zoe'] })],
    ['the order of homes', context({ homes: RUN.context.homes.toReversed() })],
    ['an alias less', context({ aliases: [] })],
    ['the store directory', context({ storeDir: '/gnu/store' })],
    ['an allowed path', edits({ allow: [] })],
    ['the placeholders', edits({ placeholders: { add: [], remove: ['alex'] } })],
    ['the image prefixes', edits({ imagePrefixes: { add: [], remove: [] } })],
    ['the depth', limits({ depth: 3 })],
    ['the expanded bytes', limits({ expandedBytes: 3 })],
    ['the ratio', limits({ ratio: 3 })],
    ['the members', limits({ entries: 3 })],
    ['the seconds', limits({ seconds: 3 })],
    ['whether content is told', { ...RUN, digests: true }],
  ])('is another for another run: %s', (_what, run) => {
    expect(contextsOf(ENGINE, run)(OUTPUT)).not.toBe(known);
  });

  it.each<readonly [string, OutputConditions]>([
    ['another hash part', info({ storePath: path('d') })],
    ['another name, which may tell what a file is', info({ storePath: path('a', 'x.br') })],
    ['a reference more', info({ references: [...OUTPUT.info.references, path('d')] })],
    ['a reference less', info({ references: OUTPUT.info.references.slice(1) })],
    ['an alias that others showed', { ...OUTPUT, aliases: [] }],
    ['the order in which aliases were shown', { ...OUTPUT, aliases: ['/b/store', '/gpfs/nix/store'] }],
  ])('is another for another output: %s', (_what, output) => {
    expect(contextsOf(ENGINE, RUN)(output)).not.toBe(known);
  });

  it('is another for more references than are searched for', () => {
    const digits = '0123456789abcdfghijklmnpqrsvwxyz';
    const many = Array.from(
      { length: 400 },
      (_, number) => `/nix/store/${'0'.repeat(30)}${digits[number >> 5]}${digits[number & 31]}-x`,
    );
    const of = (references: readonly string[]) => contextsOf(ENGINE, RUN)(info({ references }));
    expect(of(many)).not.toBe(of(many.slice(0, -1)));
  });

  it('is another for another program, and other decoders', () => {
    expect(contextsOf(['0.1.1', 'zlib 1'], RUN)(OUTPUT)).not.toBe(known);
    expect(contextsOf(['0.1.0', 'zlib 2'], RUN)(OUTPUT)).not.toBe(known);
    expect(engineVersion()).toMatch(/^\d+\.\d+\.\d+/);
    expect(decoderVersions().join()).toMatch(/^zlib \d.*,zstd \d.*,brotli \d/);
  });
});
