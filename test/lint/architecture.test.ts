import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** The layers of src/, bottom first. A folder may import what lies in layers before its own. */
const LAYERS = [
  ['model'],
  ['needles', 'kernel', 'formats', 'nix'],
  ['inspect'],
  ['sources', 'policy'],
  ['scan'],
  ['report'],
  ['ledger'],
  ['quarantine'],
  ['guard'],
  ['admission'],
  ['cli'],
];
const FOLDERS = LAYERS.flat();
const PURE = ['model', 'needles', 'formats', 'policy'];
const layerOf = (folder: string): number => LAYERS.findIndex((layer) => layer.includes(folder));
const mayImport = (from: string, to: string): boolean => layerOf(to) < layerOf(from);

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

let house: string;
let diagnostics: readonly Diagnostic[];

function put(path: string, text: string): void {
  mkdirSync(dirname(join(house, path)), { recursive: true });
  writeFileSync(join(house, path), text);
}

function rulesBrokenIn(path: string): readonly string[] {
  return diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code);
}

const IMPORT_RULE = 'eslint(no-restricted-imports)';

/** A copy of the house's plan: the configuration, one value a folder, and a file for every way to breach it. */
beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'nar-scan-lint-'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
    copyFileSync(join(ROOT, file), join(house, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(house, 'node_modules'));
  for (const from of FOLDERS) {
    put(`src/${from}/value.ts`, `export const value = '${from}';\n`);
    for (const to of FOLDERS) {
      if (from === to) continue;
      put(`src/${from}/to-${to}.ts`, `export { value } from '../${to}/value.ts';\n`);
      put(`src/${from}/deep/to-${to}.ts`, `export { value } from '../../${to}/value.ts';\n`);
      put(
        `src/${from}/type-${to}.ts`,
        `import type { value } from '../${to}/value.ts';\n\nexport type V = typeof value;\n`,
      );
    }
    put(`src/${from}/to-front-door.ts`, `export { value } from '../index.ts';\n`);
    put(`src/${from}/to-test.ts`, `export { value } from '../../test/support/value.ts';\n`);
    put(`src/${from}/to-disk.ts`, `export { readFileSync } from 'node:fs';\n`);
  }
  put('src/index.ts', `export { value } from './scan/value.ts';\n`);
  put('test/support/value.ts', `export const value = 'test';\n`);
  put(
    'src/scan/here.ts',
    `import { there } from './there.ts';\n\nexport const here = (): string => there();\n`,
  );
  put(
    'src/scan/there.ts',
    `import { here } from './here.ts';\n\nexport const there = (): string => here();\n`,
  );
  put('src/scan/floating.ts', `export function start(work: () => Promise<void>): void {\n  work();\n}\n`);
  put(
    'src/scan/swallowed.ts',
    `export function quiet(work: () => void): void {\n  try {\n    work();\n  } catch {}\n}\n`,
  );
  put('src/report/printing.ts', `export function show(text: string): void {\n  console.log(text);\n}\n`);
  put('src/cli/printing.ts', `export function show(text: string): void {\n  console.log(text);\n}\n`);

  const run = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/oxlint/bin/oxlint'), '--format', 'json', 'src', 'test'],
    {
      cwd: house,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  diagnostics = (JSON.parse(run.stdout) as { diagnostics: Diagnostic[] }).diagnostics;
});

afterAll(() => {
  rmSync(house, { recursive: true, force: true });
});

describe('the linter keeps the house in order', () => {
  it('knows every folder of src', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(folders.map(({ name }) => name).filter((name) => !FOLDERS.includes(name))).toEqual([]);
  });

  for (const from of FOLDERS) {
    for (const to of FOLDERS) {
      if (from === to) continue;
      const allowed = mayImport(from, to);
      it(`${from} ${allowed ? 'may' : 'must not'} import ${to}`, () => {
        for (const file of [`to-${to}.ts`, `deep/to-${to}.ts`, `type-${to}.ts`]) {
          expect(rulesBrokenIn(`src/${from}/${file}`), file).toEqual(allowed ? [] : [IMPORT_RULE]);
        }
      });
    }
    it(`${from} must not import the front door or tests`, () => {
      expect(rulesBrokenIn(`src/${from}/to-front-door.ts`)).toContain(IMPORT_RULE);
      expect(rulesBrokenIn(`src/${from}/to-test.ts`)).toContain(IMPORT_RULE);
    });
    it(`${from} ${PURE.includes(from) ? 'must not' : 'may'} touch the disk`, () => {
      expect(rulesBrokenIn(`src/${from}/to-disk.ts`)).toEqual(PURE.includes(from) ? [IMPORT_RULE] : []);
    });
  }

  it('catches an import cycle', () => {
    expect(rulesBrokenIn('src/scan/here.ts')).toContain('import(no-cycle)');
  });
  it('catches a promise that nobody waits for', () => {
    expect(rulesBrokenIn('src/scan/floating.ts')).toContain('typescript(no-floating-promises)');
  });
  it('catches an error that is swallowed', () => {
    expect(rulesBrokenIn('src/scan/swallowed.ts')).toContain('eslint(no-empty)');
  });
  it('lets only the command line print', () => {
    expect(rulesBrokenIn('src/report/printing.ts')).toContain('eslint(no-console)');
    expect(rulesBrokenIn('src/cli/printing.ts')).toEqual([]);
  });
});
