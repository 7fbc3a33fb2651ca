import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { GAP_REASONS, RULES, SEVERITIES } from '../../../src/model/facts.ts';
import type { OutputResult, ReportError } from '../../../src/model/report.ts';
import { verdictOfRun } from '../../../src/policy/verdict.ts';
import { type Digest, findingId, gapId, loadDigest } from '../../../src/report/ids.ts';
import { sarifReporter } from '../../../src/report/sarif/sarif.ts';
import { runEngine } from '../../support/engineRun.ts';
import { judged } from '../../support/judged.ts';
import { ROOT } from '../../support/narScan.ts';
import { anyOutput } from '../arbitraryFacts.ts';
import { cleanOutput, leakyOutput, STORE_PATH, unreadOutput } from '../madeFacts.ts';

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly kind: string;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string };
      readonly region?: { readonly byteOffset: number; readonly byteLength?: number };
    };
    readonly logicalLocations?: readonly { readonly fullyQualifiedName: string }[];
  }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly occurrenceCount?: number;
  readonly suppressions: readonly object[];
  readonly properties: Readonly<Record<string, unknown>>;
}

interface Log {
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: {
          readonly rules: readonly { id: string; help: { text: string; markdown: string } }[];
        };
      };
      readonly results: readonly Result[];
      readonly originalUriBaseIds: Readonly<Record<string, { readonly uri?: string }>>;
      readonly invocations: readonly [
        {
          readonly executionSuccessful: boolean;
          readonly toolConfigurationNotifications: readonly object[];
          readonly toolExecutionNotifications: readonly { level: string; message: { text: string } }[];
        },
      ];
      readonly properties: { readonly verdict: string; readonly outputs: readonly { verdict: string }[] };
    },
  ];
}

/** The schema is of draft 4, of which it uses nothing that later drafts write otherwise but this. */
function sarifSchema(): object {
  const url = new URL('sarif-2.1.0-rtm.5.schema.json', import.meta.url);
  const { $schema, id, ...schema } = JSON.parse(readFileSync(url, 'utf8')) as Record<string, unknown>;
  expect([$schema, id]).toEqual([
    'http://json-schema.org/draft-04/schema#',
    expect.stringContaining('sarif-2.1.0'),
  ]);
  return schema;
}

const ajv = new Ajv({
  strict: false,
  unicodeRegExp: false,
  formats: {
    uri: /^[a-z][a-z0-9+.-]*:[!#$%&'()*+,./:;=?@[\]_~A-Za-z0-9-]*$/,
    'uri-reference': /^(?!\/\/)(?:%[0-9A-F]{2}|[!$&'()*+,./:;=@_~A-Za-z0-9-])*$/,
    'date-time': true,
  },
});
const validate = ajv.compile(sarifSchema());

const origin = { tool: { name: 'nar-scan', version: '0.1.0', kernel: 'scalar' }, rules: 'abc' };
const fault: ReportError = { code: 'TARGET_MISSING', target: 'y', message: 'y', hint: 'check the path' };

let digest: Digest;
beforeAll(async () => {
  digest = await loadDigest();
});

function textOf(outputs: readonly OutputResult[], errors: readonly ReportError[] = []): string {
  const reporter = sarifReporter(origin, digest);
  const verdict = verdictOfRun(
    outputs.map((output) => output.verdict),
    errors.length,
  );
  const pieces = [reporter.begin(), ...outputs.map((output) => reporter.output(output))];
  const summary = { verdict, errors, unusedWaivers: ['policy.toml:9: old (expired)'], milliseconds: 1 };
  return [...pieces, ...reporter.end(summary)].join('');
}

/** The run of a log that the public schema accepts. */
function runOf(outputs: readonly OutputResult[], errors: readonly ReportError[] = []): Log['runs'][0] {
  const log = JSON.parse(textOf(outputs, errors)) as Log;
  expect(validate(log), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
  return log.runs[0];
}

describe('the SARIF log', () => {
  it('is accepted by the public schema whatever the facts, and holds no raw unprintable character', () => {
    fc.assert(
      fc.property(fc.array(anyOutput, { maxLength: 3 }), fc.boolean(), (outputs, failed) => {
        runOf(outputs, failed ? [fault] : []);
        expect(textOf(outputs)).not.toMatch(/[^\n -~\u00a0-\uffff]/);
      }),
      { numRuns: 60 },
    );
  });

  it('is accepted for every fixture, and has a result for each finding and gap', async () => {
    const targets = ['leaks', 'ok', 'malformed'].flatMap((folder) =>
      readdirSync(join(ROOT, 'fixtures', folder)).map((name) => join(ROOT, 'fixtures', folder, name)),
    );
    const { outputs, errors } = await runEngine({ targets });
    expect(outputs.length).toBeGreaterThan(150);
    const results = outputs.map(judged);
    const run = runOf(results, errors);
    const ids = results.flatMap(({ findings, gaps }) => [
      ...findings.map((finding) => findingId(finding, digest)),
      ...gaps.map((gap) => gapId(gap, digest)),
    ]);
    expect(run.results.map((result) => result.partialFingerprints['narScanId/v1'])).toEqual(ids);
    expect(run.properties.outputs.map(({ verdict }) => verdict)).toEqual(
      results.map(({ verdict }) => verdict),
    );
  }, 60_000);

  it('names a rule with help for every rule and every reason of a gap', () => {
    const { rules } = runOf([cleanOutput]).tool.driver;
    expect(rules.map(({ id }) => id)).toEqual([
      ...RULES,
      ...GAP_REASONS.map((reason) => `not-inspected/${reason}`),
    ]);
    for (const { help } of rules) {
      expect(help.text).toContain('How to mend it:');
      expect(help.markdown).toContain('## How to mend it');
      expect(help.markdown).not.toMatch(/https?:/);
    }
  });

  it('points each result at its rule, its output and its bytes', () => {
    const run = runOf([cleanOutput, leakyOutput]);
    for (const result of run.results) {
      expect(run.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
      const { uriBaseId } = result.locations[0]!.physicalLocation.artifactLocation;
      expect(run.originalUriBaseIds[uriBaseId]).toMatchObject({ uri: `file://${STORE_PATH}/` });
      expect(result.message.text).toContain(STORE_PATH);
    }
    const panic = run.results.find(({ occurrenceCount }) => occurrenceCount !== undefined)!;
    expect(panic).toMatchObject({ level: 'error', kind: 'fail', occurrenceCount: 41, suppressions: [] });
    expect(panic.locations[0]?.physicalLocation).toMatchObject({
      artifactLocation: { uri: 'bin/hello' },
      region: { byteOffset: 4711, byteLength: 12 },
    });
  });

  it('leads into containers by logical locations, with the offset of the bytes on disk', () => {
    const inside = runOf([leakyOutput]).results.find(({ properties }) => properties['offset'] === 3)!;
    expect(inside.locations).toEqual([
      {
        physicalLocation: {
          artifactLocation: { uri: 'share/x.jar', uriBaseId: 'OUTPUT0' },
          region: { byteOffset: 17 },
        },
        logicalLocations: [{ name: 'A.class', fullyQualifiedName: 'in.jar › A.class', kind: 'member' }],
      },
    ]);
    expect(inside.properties['container']).toEqual(['in.jar', 'A.class']);
  });

  it('keeps every byte of a name in its URI', () => {
    const uris = runOf([leakyOutput]).results.map(
      (result) => result.locations[0]!.physicalLocation.artifactLocation.uri,
    );
    expect(uris).toContain('bin/%1B%5B2Jhi%FF');
    for (const [entry, uri] of [
      ['a:b/c d', 'a%3Ab/c%20d'],
      ['x#y?z%', 'x%23y%3Fz%25'],
      ['', '.'],
      ['\xc3\xa9', '%C3%A9'],
    ] as const) {
      const gap = { ...unreadOutput.gaps[0]!, location: { ...unreadOutput.gaps[0]!.location, entry } };
      const [result] = runOf([{ ...unreadOutput, gaps: [gap] }]).results;
      expect(result?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(uri);
    }
  });

  it('shows an incomplete scan as errors and as a run that did not succeed', () => {
    const run = runOf([unreadOutput]);
    expect(run.results).toMatchObject([
      { ruleId: 'not-inspected/malformed-nar', level: 'error', kind: 'fail' },
    ]);
    expect(run.invocations[0].executionSuccessful).toBe(false);
    expect(run.invocations[0].toolExecutionNotifications).toMatchObject([
      { level: 'error', message: { text: '1 gap: malformed-nar' } },
    ]);
  });

  it('is successful only where everything was inspected', () => {
    const successful = (outputs: readonly OutputResult[], errors: readonly ReportError[] = []): boolean =>
      runOf(outputs, errors).invocations[0].executionSuccessful;
    expect(successful([cleanOutput])).toBe(true);
    expect(successful([])).toBe(false);
    expect(successful([cleanOutput], [fault])).toBe(false);
    expect(successful([cleanOutput, unreadOutput])).toBe(false);
    const waived = unreadOutput.gaps.map((gap) => ({ ...gap, waivedBy: 'known' }));
    expect(successful([{ ...unreadOutput, verdict: 'clean', gaps: waived }])).toBe(true);
  });

  it('tells the source that a leak is from as a property', () => {
    const [leak] = leakyOutput.findings;
    const { results } = runOf([
      { ...leakyOutput, findings: [leak!, { ...leak!, source: '/nix/store/src' }] },
    ]);
    expect(results[0]?.properties).not.toHaveProperty('origin');
    expect(results[1]?.properties).toMatchObject({ origin: 'source', source: '/nix/store/src' });
  });

  it('suppresses what a waiver covers, with its reason', () => {
    const findings = leakyOutput.findings.map((finding, at) =>
      at === 0 ? { ...finding, waivedBy: 'why' } : finding,
    );
    const { results } = runOf([{ ...leakyOutput, findings }]);
    expect(results[0]?.suppressions).toEqual([
      { kind: 'external', status: 'accepted', justification: 'why' },
    ]);
    expect(results[1]?.suppressions).toEqual([]);
  });

  it('tells which waivers nothing needs', () => {
    expect(runOf([cleanOutput]).invocations[0].toolConfigurationNotifications).toEqual([
      { level: 'warning', message: { text: 'waiver without use: policy.toml:9: old (expired)' } },
    ]);
  });

  it('makes no link of what was scanned', () => {
    const evidence = '[here](https://evil.example/home/noamyr';
    const finding = { ...leakyOutput.findings[0]!, evidence, marked: [27, 39] as const };
    const [result] = runOf([{ ...leakyOutput, findings: [finding] }]).results;
    expect(result?.message.text).not.toContain('](');
    expect(result?.properties['evidence']).toBe(evidence);
  });

  it('has no warnings in a strict run, as its verdict has none', () => {
    const levels = (strict: boolean) => {
      const reporter = sarifReporter(origin, digest, { strict });
      reporter.begin();
      const finding = leakyOutput.findings[0]!;
      const findings = SEVERITIES.map((severity) => ({ ...finding, severity }));
      const text = reporter.output({ ...leakyOutput, findings, gaps: [] });
      return (JSON.parse(`[${text}]`) as { level: string }[]).map(({ level }) => level);
    };
    expect(levels(false)).toEqual(['error', 'warning', 'note']);
    expect(levels(true)).toEqual(['error', 'error', 'note']);
  });

  it('is no JSON where it broke off', () => {
    const reporter = sarifReporter(origin, digest);
    expect(() => JSON.parse(reporter.begin() + reporter.output(cleanOutput)) as unknown).toThrow(SyntaxError);
  });
});
