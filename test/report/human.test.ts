import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputResult, ReportError } from '../../src/model/report.ts';
import { verdictOfRun } from '../../src/policy/verdict.ts';
import { type HumanOptions, humanReporter } from '../../src/report/human.ts';
import { printCleanReporter } from '../../src/report/printClean.ts';
import { anyOutput } from './arbitraryFacts.ts';
import { cleanOutput, leakyOutput, STORE_PATH, unreadOutput } from './madeFacts.ts';

const plain: HumanOptions = { color: false, columns: 80, quiet: false, verbose: false };
const error: ReportError = { code: 'TARGET_MISSING', target: 'y', message: 'y', hint: 'check the path' };

function report(outputs: readonly OutputResult[], options: Partial<HumanOptions> = {}): string {
  const reporter = humanReporter({ ...plain, ...options });
  const body = outputs.map((output) => reporter.output(output));
  const verdict = verdictOfRun(
    outputs.map((output) => output.verdict),
    1,
  );
  return [reporter.begin(), ...body, ...reporter.end({ verdict, errors: [error], milliseconds: 1234 })].join(
    '',
  );
}

describe('the report for people', () => {
  const outputs = [cleanOutput, leakyOutput, unreadOutput];

  it('looks like its golden file at 80 columns', async () => {
    const text = report(outputs);
    await expect(text).toMatchFileSnapshot('golden/human-80.txt');
  });

  it('looks like its golden file in colour', async () => {
    await expect(report(outputs, { color: true })).toMatchFileSnapshot('golden/human-80-color.txt');
  });

  it('folds nothing when verbose', async () => {
    await expect(report(outputs, { verbose: true })).toMatchFileSnapshot('golden/human-verbose.txt');
  });

  it('shows the worst first', () => {
    const text = report([leakyOutput]);
    expect(text.indexOf('bin/hello')).toBeLessThan(text.indexOf('lib/perl.so'));
    expect(text.indexOf('error known-home')).toBeLessThan(text.indexOf('warning foreign-home'));
  });

  it('has one line for each output that is not clean when quiet', () => {
    const lines = report(outputs, { quiet: true }).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe(`contaminated ${STORE_PATH} (./result): 48 errors, 1 warning, 1 note, 6 gaps`);
    expect(lines[1]).toBe('incomplete x.nar: 1 gap');
  });

  it('never passes a control character, a bidi control or an escape of the input on', () => {
    fc.assert(
      fc.property(anyOutput, fc.boolean(), fc.boolean(), fc.boolean(), (output, color, quiet, verbose) => {
        const text = report([output], { color, quiet, verbose });
        const own = color ? text.replaceAll(/\x1b\[[0-9;]{1,6}m/g, '') : text;
        expect(own).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
        expect(text).not.toMatch(/\x1b(?!\[(0|1|2|32|33|1;31|1;4;31)m)/);
      }),
    );
  });

  it('shows very many findings and gaps without failing', () => {
    const findings = Array.from({ length: 150_000 }, (_, at) => {
      const finding = leakyOutput.findings[0]!;
      return { ...finding, location: { ...finding.location, offset: at } };
    });
    const gaps = Array.from({ length: 150_000 }, () => leakyOutput.gaps[0]!);
    expect(report([{ ...leakyOutput, findings, gaps }], { verbose: true }).length).toBeGreaterThan(1e6);
    expect(report([{ ...leakyOutput, findings, gaps }]).length).toBeLessThan(5000);
  });
});

describe('the list of clean paths', () => {
  const reporter = printCleanReporter();

  it('holds store paths of clean outputs only, else the target', () => {
    expect(reporter.output(cleanOutput)).toBe(`${STORE_PATH}\n`);
    expect(reporter.output({ ...cleanOutput, storePath: null, target: 'dir x' })).toBe('dir x\n');
    expect(reporter.output(leakyOutput)).toBe('');
    expect(reporter.output(unreadOutput)).toBe('');
  });

  it('leaves out a path that would read as two', () => {
    expect(reporter.output({ ...cleanOutput, storePath: null, target: `a\n${STORE_PATH}` })).toBe('');
  });
});
