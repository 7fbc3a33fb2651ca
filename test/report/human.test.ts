import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/model/errors.ts';
import type { OutputResult, ReportError } from '../../src/model/report.ts';
import { verdictOfRun } from '../../src/policy/verdict.ts';
import { GAP_ADVICE } from '../../src/report/gapAdvice.ts';
import { type HumanOptions, humanReporter } from '../../src/report/human.ts';
import { printCleanReporter } from '../../src/report/printClean.ts';
import { anyOutput } from './arbitraryFacts.ts';
import { cleanOutput, gap, leakyOutput, STORE_PATH, unreadOutput } from './madeFacts.ts';

const plain: HumanOptions = { color: false, columns: 80, quiet: false, verbose: false };
const error: ReportError = { code: 'TARGET_MISSING', target: 'y', message: 'y', hint: 'check the path' };

function report(outputs: readonly OutputResult[], options: Partial<HumanOptions> = {}): string {
  const reporter = humanReporter({ ...plain, ...options });
  const body = outputs.map((output) => reporter.output(output));
  const verdict = verdictOfRun(
    outputs.map((output) => output.verdict),
    1,
  );
  return [
    reporter.begin(),
    ...body,
    ...reporter.end({ verdict, errors: [error], unusedWaivers: [], milliseconds: 1234 }),
  ].join('');
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

  it('says what to do about the error that a gap comes of', () => {
    const gaps = [
      gap('', "PATH_TAMPERED: '/nix/store/x' has another NarHash", 'internal'),
      gap('', 'WORKER_DIED: a worker died: out of memory', 'internal'),
      gap('', 'constructor: no code', 'internal'),
      gap('', 'PATH_TAMPERED: in a name', 'corrupt'),
    ];
    const text = report([{ ...unreadOutput, gaps }], { columns: 400 });
    const advice = text.split('\n').filter((line) => line.includes('what to do: '));
    expect(advice.map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        `what to do: ${ERRORS.PATH_TAMPERED}`,
        `what to do: ${GAP_ADVICE.internal}`,
        `what to do: ${GAP_ADVICE.corrupt}`,
      ]),
    );
    expect(advice).toHaveLength(3);
  });

  it('folds identical gaps into a count and their first three places', () => {
    const gaps = Array.from({ length: 40 }, (_, at) => ({
      ...unreadOutput.gaps[0]!,
      reason: 'unsupported' as const,
      detail: '7z container cannot be opened',
      location: { entry: `share/${at}.7z`, container: [], offset: null, outerOffset: null },
    }));
    const text = report([{ ...unreadOutput, gaps }], { columns: 120 });
    expect(text).toContain(
      '7z container cannot be opened (40 times): share/0.7z, share/1.7z, share/2.7z, …\n',
    );
    expect(text.match(/7z container/g)).toHaveLength(1);
    expect(report([{ ...unreadOutput, gaps }], { verbose: true })).toContain('share/39.7z');
  });

  it('puts the carets below the leak, whatever stands before it', () => {
    const finding = leakyOutput.findings[0]!;
    for (const [before, columns] of [
      ['abc ', 4],
      ['日本 ', 5],
      ['e\u0301 ', 2],
      ['', 0],
    ] as const) {
      const bytes = Buffer.from(before, 'utf8').toString('latin1');
      const evidence = `${bytes}/home/noamyr/x`;
      const marked = [bytes.length, bytes.length + 12] as const;
      const lines = report([{ ...leakyOutput, findings: [{ ...finding, evidence, marked }] }]).split('\n');
      const row = lines.findIndex((line) => line.includes(`${before}/home/noamyr/x`));
      expect(lines[row + 1]).toBe(`      ${' '.repeat(columns)}${'^'.repeat(12)}`);
    }
  });

  it('says that encoded evidence is decoded, and names the encoding only then', () => {
    const finding = leakyOutput.findings[0]!;
    const text = report([
      {
        ...leakyOutput,
        findings: [{ ...finding, encoding: 'base64', evidence: '/home/noamyr', marked: [0, 12] }],
      },
    ]);
    expect(text).toContain('(bytes at 99 of .rodata, in base64)\n      decoded: /home/noamyr\n');
    expect(report([leakyOutput])).not.toMatch(/decoded|plain/);
  });

  it('shows the way into a container from outside in', () => {
    expect(report([leakyOutput])).toContain('      share/x.jar › in.jar › A.class\n');
  });

  it('fits the columns but for names, and breaks long evidence when verbose', () => {
    const lines = report([leakyOutput], { verbose: true }).split('\n');
    const evidence = lines.filter((line) => /x{9}|y{9}/.test(line));
    expect(evidence.length).toBeGreaterThan(4);
    expect(Math.max(...evidence.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('counts what a waiver covers, and lists it only when verbose', () => {
    const findings = leakyOutput.findings.map((finding) => ({
      ...finding,
      waivedBy: 'policy.toml:3: known',
    }));
    const waived: OutputResult = { ...leakyOutput, verdict: 'clean', findings, gaps: [] };
    expect(report([waived])).not.toContain('known-home');
    expect(report([waived])).toContain(`${findings.length} findings and gaps waived (--verbose lists them)`);
    expect(report([waived], { verbose: true })).toContain(' waived: policy.toml:3: known\n');
  });

  it('shows the worst first', () => {
    const text = report([leakyOutput]);
    expect(text.indexOf('bin/hello')).toBeLessThan(text.indexOf('lib/perl.so'));
    expect(text.indexOf('error known-home')).toBeLessThan(text.indexOf('warning foreign-home'));
  });

  it('sums up each physical place of the store that is shown more than once', () => {
    const finding = {
      ...leakyOutput.findings[0]!,
      rule: 'store-alias' as const,
      alias: '/gpfs/u17/\x1b/store',
    };
    const at = (entry: string, more: number) => ({
      ...finding,
      more,
      location: { ...finding.location, entry },
    });
    const textOf = (...findings: ReturnType<typeof at>[]) =>
      humanReporter({ columns: 80, color: false, quiet: false, verbose: false }).output({
        ...leakyOutput,
        findings,
      });
    expect(textOf(at('a', 0), at('a', 2), at('b', 0))).toContain(
      '\n  /gpfs/u17/\\x1b/store is a physical place of the store: 5 leaks in 2 entries\n',
    );
    expect(textOf(at('a', 0))).not.toContain('is a physical place');
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
