import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../support/narScan.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-tally-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The closing line for these results of the test runner (null: it wrote none). */
function tally(results: unknown, testsStatus: number | string, failedChecks: number): string {
  const file = join(folder, 'tests.json');
  if (results !== null) writeFileSync(file, JSON.stringify(results));
  const args = [join(ROOT, '.ci/tally.mjs'), file, String(testsStatus), String(failedChecks)];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout;
}

const results = (passed: number, failed: number, testResults: readonly object[] = []): object => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 0,
  testResults,
});

describe('the closing line of .ci/run', () => {
  it('is the count of the test runner', () => {
    expect(tally(results(12, 0), 0, 0)).toBe('12 passed, 0 failed\n');
    expect(tally(results(12, 3), 1, 0)).toBe('12 passed, 3 failed\n');
  });

  it('counts every other check that failed', () => {
    expect(tally(results(12, 0), 0, 2)).toBe('12 passed, 2 failed\n');
    expect(tally(results(12, 3), 1, 2)).toBe('12 passed, 5 failed\n');
  });

  it('counts a test file that could not be loaded', () => {
    const file = { status: 'failed', name: 'x.test.ts', message: 'no such module', assertionResults: [] };
    expect(tally(results(12, 0, [file]), 1, 0)).toBe('12 passed, 1 failed\n');
  });

  it('is a failure when the runner failed for no reason it tells, found nothing or wrote nothing', () => {
    expect(tally(results(12, 0), 1, 0)).toBe('12 passed, 1 failed\n');
    expect(tally(results(12, 0), 'none', 0)).toBe('12 passed, 1 failed\n');
    expect(tally(results(0, 0), 0, 0)).toBe('0 passed, 1 failed\n');
    expect(tally(null, 0, 0)).toBe('0 passed, 1 failed\n');
    expect(tally({ numPassedTests: 'many' }, 0, 1)).toMatch(/, 2 failed\n$/);
  });
});
