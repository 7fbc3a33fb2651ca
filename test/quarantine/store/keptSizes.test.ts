import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KeptSizes } from '../../../src/quarantine/store/keptSizes.ts';

let folder: string;
let sizes: KeptSizes;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-sizes-'));
  sizes = new KeptSizes(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const id = (number: number): string => number.toString(16).padStart(16, '0');
const put = (number: number, name: string, bytes: number): void => {
  mkdirSync(join(folder, id(number)), { recursive: true });
  writeFileSync(join(folder, id(number), name), Buffer.alloc(bytes));
};
/** As if nothing had come or gone there for long. */
const settle = (number: number, seconds: number): void =>
  utimesSync(join(folder, id(number)), seconds, seconds);

it('counts the files of all outputs but one, and nothing else', async () => {
  expect(await new KeptSizes(join(folder, 'none')).used()).toBe(0);
  for (let number = 0; number < 600; number++) put(number, 'report.json', number);
  mkdirSync(join(folder, `.new-${id(1)}-${id(2)}`));
  writeFileSync(join(folder, 'other'), 'x');
  const all = (599 * 600) / 2;
  expect([await sizes.used(), await sizes.used(), await sizes.used(id(7))]).toEqual([all, all, all - 7]);
});

it('counts anew what has changed, also within the tick of a clock', async () => {
  put(1, 'report.json', 10);
  put(2, 'report.json', 10);
  settle(2, 1000);
  expect(await sizes.used()).toBe(20);
  // nothing tells them apart but that they were changed just now
  writeFileSync(join(folder, id(1), 'report.json'), Buffer.alloc(11));
  expect(await sizes.used()).toBe(21);
  put(2, 'output.nar.zst', 100);
  expect(await sizes.used()).toBe(121);
  settle(2, 2000);
  expect(await sizes.used()).toBe(121);
  rmSync(join(folder, id(2), 'output.nar.zst'));
  expect(await sizes.used()).toBe(21);
});

it('counts anew what came in the place of another', async () => {
  put(1, 'report.json', 10);
  put(2, 'report.json', 500);
  for (const number of [1, 2]) settle(number, 1000);
  expect(await sizes.used()).toBe(510);
  rmSync(join(folder, id(1)), { recursive: true });
  renameSync(join(folder, id(2)), join(folder, id(1)));
  expect(await sizes.used()).toBe(500);
});

it('does not read again what lies there unchanged', async () => {
  put(1, 'report.json', 10);
  settle(1, 1000);
  expect(await sizes.used()).toBe(10);
  // as no file of an output is ever written
  writeFileSync(join(folder, id(1), 'report.json'), Buffer.alloc(11));
  expect(await sizes.used()).toBe(10);
});
