import { expect, it } from 'vitest';
import { plainPath } from '../../../src/inspect/rules/plainPath.ts';

it.each([
  ['/', '/'],
  ['/a', '/a'],
  ['//a//b/', '/a/b'],
  ['/a/./b/.', '/a/b'],
  ['/a/../b', '/b'],
  ['/../../a', '/a'],
  ['/a/..b/...', '/a/..b/...'],
])('%s is %s', (path, plain) => {
  expect(plainPath(path)).toBe(plain);
});
