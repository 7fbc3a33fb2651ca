import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { CARRIERS, ENCODINGS, GAP_REASONS, RULES, SEVERITIES, VERDICTS } from '../../src/model/facts.ts';
import type { ReportError } from '../../src/model/report.ts';
import { verdictOfRun } from '../../src/policy/verdict.ts';
import { type Digest, loadDigest } from '../../src/report/ids.ts';
import { jsonLinesReporter, jsonReporter } from '../../src/report/json.ts';
import type { Reporter, RunSummary } from '../../src/report/reporter.ts';
import { runEngine } from '../support/engineRun.ts';
import { judged } from '../support/judged.ts';
import { ROOT } from '../support/narScan.ts';
import { anyOutput, anyText } from './arbitraryFacts.ts';
import { finding, leakyOutput, STORE_PATH } from './madeFacts.ts';

const schemaUrl = new URL('../../src/report/report.schema.json', import.meta.url);
const schema = JSON.parse(readFileSync(schemaUrl, 'utf8')) as {
  $defs: Record<string, { enum?: unknown; properties: Record<string, { enum?: unknown }> }>;
};
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false }).compile(schema);
const origin = { tool: { name: 'nar-scan', version: '0.1.0', kernel: 'scalar' }, rules: 'abc' };

const anyError: fc.Arbitrary<ReportError> = fc.record({
  code: fc.constantFrom('TARGET_MISSING', 'INTERRUPTED'),
  target: fc.option(anyText, { nil: null }),
  message: anyText,
  hint: anyText,
});

function textOf(
  reporter: Reporter,
  outputs: readonly Parameters<Reporter['output']>[0][],
  summary: RunSummary,
): string {
  return [
    reporter.begin(),
    ...outputs.map((output) => reporter.output(output)),
    ...reporter.end(summary),
  ].join('');
}

function summaryOf(
  outputs: readonly { verdict: 'clean' | 'contaminated' | 'incomplete' }[],
  errors: ReportError[],
) {
  return {
    verdict: verdictOfRun(
      outputs.map(({ verdict }) => verdict),
      errors.length,
    ),
    errors,
    unusedWaivers: [],
    milliseconds: 1,
  };
}

let digest: Digest;
beforeAll(async () => {
  digest = await loadDigest();
});

describe('the JSON report', () => {
  it('is one document that the shipped schema accepts, whatever the facts', () => {
    fc.assert(
      fc.property(
        fc.array(anyOutput, { maxLength: 3 }),
        fc.array(anyError, { maxLength: 2 }),
        (outputs, errors) => {
          const text = textOf(jsonReporter(origin, digest), outputs, summaryOf(outputs, errors));
          const report: unknown = JSON.parse(text);
          expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
          expect(text).not.toMatch(/[^\n -~\u00a0-\uffff]/);
        },
      ),
    );
  });

  it('is accepted for every fixture', async () => {
    const targets = ['leaks', 'ok', 'malformed'].flatMap((folder) =>
      readdirSync(join(ROOT, 'fixtures', folder)).map((name) => join(ROOT, 'fixtures', folder, name)),
    );
    const run = await runEngine({ targets });
    const outputs = run.outputs.map(judged);
    const text = textOf(jsonReporter(origin, digest), outputs, summaryOf(outputs, [...run.errors]));
    const report = JSON.parse(text) as { outputs: unknown[] };
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
    expect(report.outputs).toHaveLength(targets.length);
  }, 60_000);

  it('has the fields of the contract in their order', () => {
    const report = JSON.parse(
      textOf(jsonReporter(origin, digest), [leakyOutput], summaryOf([leakyOutput], [])),
    ) as { outputs: { findings: object[]; gaps: object[] }[] };
    expect(Object.keys(report)).toEqual([
      'schema',
      'tool',
      'rules',
      'verdict',
      'errors',
      'outputs',
      'unusedWaivers',
    ]);
    expect(report).toMatchSnapshot();
    expect(JSON.stringify(report)).toMatchSnapshot('order');
  });

  it('names the source that a leak is from, where one is known', () => {
    const source = `${STORE_PATH}-source`;
    const findings = [finding({ leak: '/home/alex' }), { ...finding({ leak: '/home/alex' }), source }];
    const output = { ...leakyOutput, findings };
    const report = JSON.parse(textOf(jsonReporter(origin, digest), [output], summaryOf([output], []))) as {
      outputs: { findings: object[] }[];
    };
    const [without, from] = report.outputs[0]?.findings ?? [];
    expect([Object.keys(without ?? {}).includes('origin'), from]).toEqual([
      false,
      expect.objectContaining({ origin: 'source', source }),
    ]);
  });

  it('gives the bytes of a name only where it is not UTF-8', () => {
    const finding = leakyOutput.findings[0]!;
    const named = (entry: string) => ({
      ...leakyOutput,
      findings: [{ ...finding, location: { ...finding.location, entry } }],
    });
    const locationOf = (entry: string) =>
      (
        JSON.parse(
          textOf(jsonLinesReporter(origin, digest), [named(entry)], summaryOf([], [])).split('\n')[0]!,
        ) as {
          findings: { location: object }[];
        }
      ).findings[0]?.location;
    expect(locationOf('a\xff')).toMatchObject({ entry: 'a\ufffd', entryBytes: 'Yf8=' });
    expect(locationOf('\xc3\xa9')).toMatchObject({ entry: 'é' });
    expect(locationOf('\xc3\xa9')).not.toHaveProperty('entryBytes');
  });

  it('lists every rule, severity, carrier, encoding, reason and verdict that the model knows', () => {
    const finding = schema.$defs['finding']!.properties;
    expect(finding['rule']?.enum).toEqual(RULES);
    expect(finding['severity']?.enum).toEqual(SEVERITIES);
    expect(finding['carrier']?.enum).toEqual(CARRIERS);
    expect(finding['encoding']?.enum).toEqual(ENCODINGS);
    expect(schema.$defs['gap']!.properties['reason']?.enum).toEqual(GAP_REASONS);
    expect(schema.$defs['verdict']!.enum).toEqual(VERDICTS);
  });

  it('is refused by the schema when it says clean beside errors', () => {
    const error = { code: 'INTERRUPTED', target: null, message: 'm', hint: 'h' } as const;
    const say = (verdict: 'clean' | 'incomplete'): boolean =>
      validate(
        JSON.parse(
          textOf(jsonReporter(origin, digest), [], {
            verdict,
            errors: [error],
            unusedWaivers: [],
            milliseconds: 1,
          }),
        ),
      );
    expect(say('clean')).toBe(false);
    expect(say('incomplete')).toBe(true);
  });
});

describe('the JSON lines report', () => {
  it('has one accepted document a line: the outputs, then the verdict', () => {
    fc.assert(
      fc.property(fc.array(anyOutput, { maxLength: 3 }), (outputs) => {
        const text = textOf(jsonLinesReporter(origin, digest), outputs, summaryOf(outputs, []));
        const lines = text.split('\n');
        expect(lines.pop()).toBe('');
        expect(lines).toHaveLength(outputs.length + 1);
        for (const line of lines) expect(validate(JSON.parse(line)), line).toBe(true);
        expect(JSON.parse(lines.at(-1) ?? '')).toHaveProperty('unusedWaivers', []);
      }),
    );
  });
});
