import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/narScan.ts';

const bundles = join(ROOT, 'dist/bundle');

/** What a bundle of the hook loads as soon as it is loaded, but for bundles. */
function loadedBy(name: string): readonly string[] {
  const [file] = readdirSync(bundles).filter((each) => new RegExp(`^hook-${name}-.*\\.cjs$`).test(each));
  const text = readFileSync(join(bundles, file ?? ''), 'utf8');
  const modules = [...text.matchAll(/^(?:let|const|var) .*\brequire\("([^."][^"]*)"\)/gm)];
  return modules.map(([, module = '']) => module).toSorted();
}

test('a start of the hook loads no module that takes long', () => {
  // node:crypto takes 5 ms of the 75 that all may take, node:child_process and worker_threads half as long
  const cheap = ['node:fs', 'node:module', 'node:os', 'node:path', 'node:timers/promises', 'node:url'];
  const loaded = [...loadedBy('core'), ...loadedBy('scan')];
  expect(loaded).toContain('node:fs');
  expect(cheap).toEqual(expect.arrayContaining(loaded));
});

test('bundles that are started are ASCII alone', () => {
  const files = readdirSync(bundles).filter((name) => name.endsWith('.cjs'));
  expect(files).toContain('hook.cjs');
  for (const name of files) {
    expect([name, readFileSync(join(bundles, name)).some((byte) => byte > 0x7f)]).toEqual([name, false]);
  }
});
