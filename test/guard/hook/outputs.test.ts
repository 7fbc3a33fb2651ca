import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookOutputs } from '../../../src/guard/hook/outputs.ts';
import type { Derivation } from '../../../src/nix/derivation.ts';
import { writeDerivation } from '../../support/derivationWriter.ts';

type DerivationOutput = Derivation['outputs'] extends ReadonlyMap<string, infer Output> ? Output : never;

const STORE = '/nix/store';
const pathOf = (name: string): string => `${STORE}/0123456789abcdfghijklmnpqrsvwxyz-${name}`;
const fixed = (name: string): DerivationOutput => ({ path: pathOf(name), hashAlgorithm: '', hash: '' });
const FLOATING: DerivationOutput = { path: null, hashAlgorithm: 'r:sha256', hash: '' };

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'nar-scan-outputs-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a hook finds out after a build of these outputs. */
function outputsOf(outputs: Readonly<Record<string, DerivationOutput>>, named: readonly string[]) {
  const file = join(folder, 'built.drv');
  const bytes = writeDerivation({
    outputs: new Map(Object.entries(outputs)),
    inputDerivations: new Map(),
    inputSources: [],
    platform: 'x86_64-linux',
    builder: '/bin/sh',
    args: [],
    env: new Map(),
  });
  writeFileSync(file, bytes);
  const environment = { DRV_PATH: pathOf('built.drv'), OUT_PATHS: named.map(pathOf).join(' ') };
  return hookOutputs(environment, STORE, () => file);
}

describe('what was built', () => {
  it('is what OUT_PATHS and the derivation name, each once', () => {
    const found = outputsOf({ dev: fixed('a-dev'), out: fixed('a') }, ['a', 'a']);
    expect(found).toEqual({
      derivation: pathOf('built.drv'),
      named: [pathOf('a')],
      derived: [pathOf('a-dev'), pathOf('a')],
      unnamed: 0,
    });
  });

  it('may have outputs of which nobody tells the path, and how many is known', () => {
    expect(outputsOf({ dev: FLOATING, out: FLOATING }, ['a', 'a-dev']).unnamed).toBe(0);
    expect(outputsOf({ dev: FLOATING, out: FLOATING }, ['a']).unnamed).toBe(1);
    expect(() => outputsOf({ dev: FLOATING, out: FLOATING }, [])).toThrow(/has no path for its outputs/);
  });

  it('may be ten thousand paths', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `output-${index}`);
    expect(outputsOf({ out: fixed('a') }, names).named).toEqual(names.map(pathOf));
  });

  it('lies in this store, or nothing is said of it', () => {
    const elsewhere: DerivationOutput = {
      path: pathOf('a').replace('/nix', '/gnu'),
      hashAlgorithm: '',
      hash: '',
    };
    expect(() => outputsOf({ out: elsewhere }, ['a'])).toThrow(/is no store path of '\/nix\/store'/);
  });
});
