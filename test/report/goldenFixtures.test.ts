import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { verdictOfRun } from '../../src/policy/verdict.ts';
import type { OutputResult } from '../../src/model/report.ts';
import { humanReporter } from '../../src/report/human.ts';
import { judged } from '../support/judged.ts';
import { runEngine } from '../support/engineRun.ts';
import { ROOT } from '../support/narScan.ts';

/** Ten fixtures that look most unlike each other in a report. */
const SHOWN = [
  'leaks/01-rust-panic-path',
  'leaks/02-elf-runpath',
  'leaks/06-symlinks',
  'leaks/12-jar-in-jar',
  'leaks/16-base64-at-the-edges',
  'leaks/17-percent',
  'leaks/18-build-files',
  'leaks/23-store-alias',
  'leaks/26-appimage-lzo',
  'malformed/NAR_TRUNCATED--in-contents.nar',
];

let outputs: readonly OutputResult[];
beforeAll(async () => {
  const targets = SHOWN.map((name) => join(ROOT, 'fixtures', name));
  const run = await runEngine({ targets });
  expect(run.errors).toEqual([]);
  outputs = run.outputs.map((facts) => judged({ ...facts, target: facts.target.replace(`${ROOT}/`, '') }));
});

describe('the report for people on ten fixtures', () => {
  it.each([
    [80, false],
    [80, true],
    [120, false],
    [120, true],
  ])('looks like its golden file at %i columns, in colour: %s', async (columns, color) => {
    const reporter = humanReporter({ columns, color, quiet: false, verbose: false });
    const verdict = verdictOfRun(
      outputs.map((output) => output.verdict),
      0,
    );
    const summary = { verdict, errors: [], unusedWaivers: [], milliseconds: 1000 };
    const pieces = [
      reporter.begin(),
      ...outputs.map((output) => reporter.output(output)),
      ...reporter.end(summary),
    ];
    await expect(pieces.join('')).toMatchFileSnapshot(
      `golden/fixtures-${columns}${color ? '-color' : ''}.txt`,
    );
  });
});
