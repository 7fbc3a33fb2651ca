import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finding, type OutputFacts, scan, type ScanRequest, verdictOfOutput } from '../../src/index.ts';
import { narScan, narScanReport, onlyOutput, ROOT } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { narOf } from '../support/realNix.ts';
import { LEAK_FORMS, UNOPENED_FORMS } from './leakForms.ts';

const HOME = '/home/noamyr';
const FIXTURES = join(ROOT, 'fixtures');
const LEAKS = join(FIXTURES, 'leaks');
const REQUEST: Omit<ScanRequest, 'targets'> = {
  storeDir: '/nix/store',
  homes: [HOME],
  hostHomes: false,
  aliases: [],
  limits: {},
  hashNars: false,
  exportStream: false,
};

/** NARs and an export stream, and the fixture whose content they are. */
const STREAMS: Readonly<Record<string, string>> = {
  'leaks/23-store-alias.nar': 'leaks/23-store-alias',
  'leaks/23-store-alias.export': 'leaks/23-store-alias',
  'ok/23-store-alias.nar': 'ok/23-store-alias',
};

const fixturesIn = (folder: string): readonly string[] =>
  readdirSync(join(FIXTURES, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();

/** A finding as the table writes it, without its offset. */
function kindOf({ rule, carrier, encoding, location }: Finding): readonly [before: string, after: string] {
  const { entry, container, field, section } = location;
  const words = [rule, carrier, field, encoding === 'plain' ? undefined : encoding];
  const what = words.filter((word) => word !== undefined).join(' ');
  return [`${[entry, ...container].join(' > ')}: ${what}`, section === undefined ? '' : ` in ${section}`];
}

/** Every kind of error once, with its first offset. */
function kindsOf(findings: readonly Finding[]): readonly string[] {
  const first = new Map<string, { line: readonly [string, string]; offset: number | null }>();
  for (const finding of findings) {
    if (finding.severity !== 'error') continue;
    const line = kindOf(finding);
    const { offset } = finding.location;
    const known = first.get(line.join(''));
    if (known === undefined || (offset !== null && known.offset !== null && offset < known.offset)) {
      first.set(line.join(''), { line, offset });
    }
  }
  return [...first.values()]
    .map(({ line: [before, after], offset }) => `${before}${offset === null ? '' : ` @${offset}`}${after}`)
    .toSorted();
}

/** All that was found, of every severity; equal however an output was read. */
const linesOf = ({ findings }: OutputFacts): readonly string[] =>
  findings
    .map(
      (finding) =>
        `${finding.severity} ${kindOf(finding).join('')} @${finding.location.offset} ${finding.more}`,
    )
    .toSorted();

const gapsOf = ({ gaps }: OutputFacts): readonly string[] =>
  [...new Set(gaps.map(({ reason, location }) => `${location.entry} ${reason}`))].toSorted();

const verdictOf = (output: OutputFacts): string => verdictOfOutput(output, { strict: false });

function expectSame(fromNar: OutputFacts, fromTree: OutputFacts): void {
  expect(linesOf(fromNar)).toEqual(linesOf(fromTree));
  const { files, bytes } = fromTree.stats;
  expect(fromNar.stats).toMatchObject({ files, bytes });
}

async function scanAll(targets: readonly string[]): Promise<ReadonlyMap<string, OutputFacts>> {
  const { outputs, errors } = await scan({ ...REQUEST, targets }, { jobs: 2 });
  expect(errors).toEqual([]);
  return new Map(outputs.map((output) => [output.target, output]));
}

function outputOf(outputs: ReadonlyMap<string, OutputFacts>, target: string): OutputFacts {
  const output = outputs.get(target);
  if (output === undefined) throw new Error(`no output of ${target}`);
  return output;
}

const leaking = Object.keys(LEAK_FORMS);
const unopened = Object.keys(UNOPENED_FORMS);
const names = [
  ...[...leaking, ...unopened].map((name) => `leaks/${name}`),
  ...fixturesIn('ok').map((name) => `ok/${name}`),
];
const packsNars = needs('nix-store');
let folder: string;
let trees: ReadonlyMap<string, OutputFacts>;
let nars: ReadonlyMap<string, OutputFacts>;
const narFile = (name: string): string => join(folder, `${name.replaceAll('/', '-')}.nar`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-forms-'));
  trees = await scanAll([...names, ...Object.keys(STREAMS)].map((name) => join(FIXTURES, name)));
  if (!packsNars) return;
  for (const name of names) writeFileSync(narFile(name), narOf(join(FIXTURES, name)));
  nars = await scanAll(names.map(narFile));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the table of leak forms', () => {
  it('has every fixture, and a clean twin for each that can be clean', () => {
    expect(fixturesIn('leaks')).toEqual([...leaking, ...unopened].toSorted());
    expect(fixturesIn('ok')).toEqual([...leaking, 'words'].toSorted());
  });

  it('has every row that needs no store', () => {
    const rows = new Set(leaking.map((name) => Number(name.slice(0, 2))));
    expect([...rows].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 27 }, (_, row) => row + 1),
    );
  });

  for (const [name, expected] of Object.entries(LEAK_FORMS)) {
    const facts = (output: OutputFacts): unknown => [
      verdictOf(output),
      kindsOf(output.findings),
      gapsOf(output),
    ];

    it(`${name} is found`, () => {
      const output = outputOf(trees, join(LEAKS, name));
      expect(facts(output)).toEqual(['contaminated', expected.toSorted(), []]);
    });

    it.skipIf(!packsNars)(`${name} is found in a NAR`, () => {
      const output = outputOf(nars, narFile(`leaks/${name}`));
      expect(facts(output)).toEqual(['contaminated', expected.toSorted(), []]);
      expectSame(output, outputOf(trees, join(LEAKS, name)));
    });
  }

  for (const [name, gaps] of Object.entries(UNOPENED_FORMS)) {
    it(`${name} is not opened, and never clean`, () => {
      const outputs = [outputOf(trees, join(LEAKS, name))];
      if (packsNars) outputs.push(outputOf(nars, narFile(`leaks/${name}`)));
      for (const output of outputs) {
        expect([verdictOf(output), kindsOf(output.findings), gapsOf(output)]).toEqual([
          'incomplete',
          [],
          gaps,
        ]);
      }
    });
  }

  for (const name of fixturesIn('ok')) {
    it(`${name} has a clean twin`, () => {
      const output = outputOf(trees, join(FIXTURES, 'ok', name));
      expect([verdictOf(output), kindsOf(output.findings), gapsOf(output)]).toEqual(['clean', [], []]);
    });

    it.skipIf(!packsNars)(`${name} has a clean twin in a NAR`, () => {
      const output = outputOf(nars, narFile(`ok/${name}`));
      expect([verdictOf(output), kindsOf(output.findings), gapsOf(output)]).toEqual(['clean', [], []]);
      expectSame(output, outputOf(trees, join(FIXTURES, 'ok', name)));
    });
  }

  it('says of a longer name under a home root that it is a home, but nobody known', () => {
    const { findings } = outputOf(trees, join(FIXTURES, 'ok/words'));
    expect(findings.map(({ rule, severity, location }) => [location.entry, rule, severity])).toContainEqual([
      'share/words',
      'foreign-home',
      'warning',
    ]);
  });

  for (const [stream, tree] of Object.entries(STREAMS)) {
    it(`${stream} says the same as its tree`, () => {
      const output = outputOf(trees, join(FIXTURES, stream));
      expect(linesOf(output)).toEqual(linesOf(outputOf(trees, join(FIXTURES, tree))));
      expect([verdictOf(output), gapsOf(output)]).toEqual([
        verdictOf(outputOf(trees, join(FIXTURES, tree))),
        [],
      ]);
    });
  }
});

describe('the table of leak forms, by the program', () => {
  const OPTIONS = ['--no-host-homes', '--home', HOME];
  const STATUS = { leaks: 1, ok: 0 } as const;

  for (const [kind, status] of Object.entries(STATUS)) {
    it(`all of ${kind} exits with ${status}`, () => {
      const targets = names.filter((name) => name.startsWith(kind) && !unopened.includes(name.slice(6)));
      const run = narScan([...OPTIONS, ...targets.map((name) => join(FIXTURES, name))]);
      expect([run.status, run.stderr]).toEqual([status, '']);
    });
  }

  it('what was not opened exits with 3', () => {
    for (const name of unopened) expect(narScan([...OPTIONS, join(LEAKS, name)]).status).toBe(3);
  });

  it.skipIf(!packsNars)('finds every form in one NAR through a pipe', () => {
    const { report } = narScanReport([...OPTIONS, '-'], { stdin: narOf(LEAKS) });
    const { findings } = onlyOutput(report);
    const found = new Set(
      findings.filter(({ severity }) => severity === 'error').map(({ location }) => location.entry),
    );
    // a home of nobody here counts at the root of an output only
    const wanted = leaking.filter((name) => name !== '19-entry-names-foreign');
    const missed = wanted.flatMap((name) =>
      [...new Set((LEAK_FORMS[name] ?? []).map((line) => line.split(/ > |: /)[0]))]
        .map((entry) => `${name}/${entry}`)
        .filter((entry) => !found.has(entry)),
    );
    expect(missed).toEqual([]);
  });
});
