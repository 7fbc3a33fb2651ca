import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding, Gap, OutputFacts, TracedFinding } from '../../src/model/facts.ts';
import { decide, dependsOnOrigin, unusedWaivers } from '../../src/policy/decide.ts';
import { BUILT_IN_POLICY, type VerdictPolicy, type Waiver } from '../../src/policy/policy.ts';
import { globOracle } from './globOracle.ts';

const HASH = '5qw3r6a1c0vf2b9d8x7y4z1k3m6n0p2s';
const NOW = new Date('2026-06-15T12:00:00Z');

const STATS = { entries: 1, files: 1, bytes: 1, expandedBytes: 0, milliseconds: 1 };
const ENTRIES = ['', 'a', 'a/b', 'bin/x', 'a*'];
const HOMES = ['/home/zoe', '/home/ann'];

const DIGESTS = ['a'.repeat(64), 'b'.repeat(64)];

const location = fc.record(
  {
    entry: fc.constantFrom(...ENTRIES),
    container: fc.array(fc.constantFrom('x.jar', 'm/y'), { maxLength: 2 }),
    offset: fc.constant(0),
    outerOffset: fc.constant(0),
    digest: fc.constantFrom(...DIGESTS),
  },
  { requiredKeys: ['entry', 'container', 'offset', 'outerOffset'] },
);

const finding: fc.Arbitrary<Finding> = fc.record({
  rule: fc.constantFrom('known-home', 'store-alias'),
  severity: fc.constantFrom('error', 'warning', 'note'),
  carrier: fc.constantFrom('bytes', 'rpath'),
  encoding: fc.constant('plain'),
  home: fc.constantFrom(null, ...HOMES),
  alias: fc.constantFrom(null, '/gpfs/store'),
  hashPart: fc.constant(null),
  location,
  evidence: fc.constant('x'),
  marked: fc.constant([0, 1] as const),
  more: fc.constantFrom(0, 3),
});

const gap: fc.Arbitrary<Gap> = fc.record({
  reason: fc.constantFrom('corrupt', 'unsupported'),
  location,
  detail: fc.constant('x'),
});

const facts: fc.Arbitrary<OutputFacts> = fc.record({
  target: fc.constantFrom('./result', 'out'),
  storePath: fc.constantFrom(null, `/nix/store/${HASH}-hello-2`),
  narHash: fc.constant(null),
  findings: fc.array(finding, { maxLength: 6 }),
  gaps: fc.array(gap, { maxLength: 4 }),
  stats: fc.constant(STATS),
});

const globOf = (...texts: string[]) => fc.option(fc.constantFrom(...texts), { nil: null });

const waiver: fc.Arbitrary<Waiver> = fc
  .record({
    place: fc.nat().map((line) => `p:${line}`),
    kind: fc.constantFrom('known-home', 'store-alias', 'corrupt', 'unsupported'),
    carrier: fc.constantFrom(null, 'bytes', 'rpath'),
    output: globOf('out', 'hello-*', '*', `${HASH}-hello-2`, '/nix/store/**', './*'),
    entry: globOf(...ENTRIES.map((entry) => entry.replace('*', '\\*')), '*', '**', 'a*', '**/b'),
    container: fc.option(fc.array(fc.constantFrom('x.jar', '*', '**', 'm/*'), { maxLength: 3 }), {
      nil: null,
    }),
    home: globOf('/home/zoe', '/home/*', '**'),
    alias: globOf('/gpfs/store', '/*/store'),
    blake3: fc.option(fc.constantFrom(...DIGESTS), { nil: null, freq: 2 }),
    because: fc.constant('known'),
    expires: fc.constantFrom(null, '2026-06-14', '2026-06-15', '2026-06-16'),
    by: fc.constant(null),
  })
  .map(({ kind, ...rest }): Waiver =>
    kind === 'known-home' || kind === 'store-alias'
      ? { ...rest, rule: kind, reason: null }
      : { ...rest, rule: null, reason: kind, carrier: null, home: null, alias: null },
  );

function chainMatches(globs: readonly string[], names: readonly string[]): boolean {
  const [glob, ...rest] = globs;
  if (glob === undefined) return names.length === 0;
  const [name, ...inner] = names;
  if (glob === '**') return chainMatches(rest, names) || (name !== undefined && chainMatches(globs, inner));
  return name !== undefined && globOracle(glob, name) && chainMatches(rest, inner);
}

const fits = (glob: string | null, ...values: (string | null)[]): boolean =>
  glob === null || values.some((value) => value !== null && globOracle(glob, value));

/** Whether a waiver may be about an output. */
function isAbout(one: Waiver, { storePath, target }: OutputFacts): boolean {
  const last = storePath?.slice('/nix/store/'.length) ?? null;
  return fits(one.output, target, storePath, last, last?.slice(33) ?? null);
}

/** Whether a waiver names a fact, field by field. */
function names(one: Waiver, output: OutputFacts, fact: Finding | Gap): boolean {
  if ((one.expires ?? '9') <= '2026-06-15') return false;
  if (!isAbout(one, output)) return false;
  if (!fits(one.entry, fact.location.entry)) return false;
  if (one.container !== null && !chainMatches(one.container, fact.location.container)) return false;
  if (one.blake3 !== null && one.blake3 !== fact.location.digest) return false;
  if ('reason' in fact) return one.reason === fact.reason;
  const sure =
    one.carrier === null || (one.carrier === fact.carrier && (fact.more === 0 || fact.carrier === 'bytes'));
  return one.rule === fact.rule && sure && fits(one.home, fact.home) && fits(one.alias, fact.alias);
}

const policyOf = (parts: Partial<VerdictPolicy>): VerdictPolicy => ({ ...BUILT_IN_POLICY.verdict, ...parts });

describe('waivers', () => {
  it('cover exactly the facts they name; the verdict follows; those of no use are told', () => {
    fc.assert(
      fc.property(facts, fc.array(waiver, { maxLength: 5 }), fc.boolean(), (output, waivers, strict) => {
        const { result, about, used } = decide(output, policyOf({ waivers, strict }), NOW);
        const coveredBy = (fact: Finding | Gap) => waivers.find((one) => names(one, output, fact));
        const all = [...output.findings, ...output.gaps];
        const said = [...result.findings, ...result.gaps].map(({ waivedBy }) => waivedBy);
        expect(said).toEqual(
          all.map((fact) => {
            const by = coveredBy(fact);
            return by === undefined ? undefined : `${by.place}: known`;
          }),
        );
        const bad = output.findings.some(
          (one) =>
            coveredBy(one) === undefined &&
            (one.severity === 'error' || (strict && one.severity === 'warning')),
        );
        const open = output.gaps.some((one) => coveredBy(one) === undefined);
        expect(result.verdict).toBe(bad ? 'contaminated' : open ? 'incomplete' : 'clean');

        const useful = waivers.filter((one) => all.some((fact) => names(one, output, fact)));
        expect(new Set(used)).toEqual(new Set(useful));
        const idle = unusedWaivers(waivers, { about, used }, NOW);
        const expired = waivers.filter(({ expires }) => expires !== null && expires <= '2026-06-15');
        const elsewhere = waivers.filter((one) => !isAbout(one, output) && !expired.includes(one));
        expect(idle).toHaveLength(waivers.length - useful.length - elsewhere.length);
        expect(idle.filter((text) => text.includes(': expired 2026-'))).toHaveLength(expired.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('that cover the same are all of use, and the first of the file is told', () => {
    const [one] = fc.sample(gap, 1);
    const [base] = fc.sample(waiver, 1);
    const anyhow = { ...base!, rule: null, carrier: null, home: null, alias: null, expires: null };
    const of = (place: string, entry: string | null): Waiver => ({
      ...anyhow,
      place,
      entry,
      reason: 'corrupt',
      output: null,
      container: null,
      blake3: null,
    });
    const waivers = [of('1', '*'), of('2', 'a'), of('3', 'a'), of('4', null)];
    const location = { ...one!.location, entry: 'a' };
    const output = {
      ...fc.sample(facts, 1)[0]!,
      findings: [],
      gaps: [{ ...one!, reason: 'corrupt' as const, location }],
    };
    for (const list of [waivers, waivers.toReversed()]) {
      const { result, used } = decide(output, policyOf({ waivers: list }), NOW);
      expect(result.gaps[0]?.waivedBy).toBe(`${list[0]?.place}: known`);
      expect(used.size).toBe(4);
    }
  });

  it('change nothing of the facts but what covers them', () => {
    fc.assert(
      fc.property(facts, fc.array(waiver), (output, waivers) => {
        const { result } = decide(output, policyOf({ waivers }), NOW);
        const { verdict: _, ...rest } = result;
        const bare = <T extends object>(judged: readonly (T & { waivedBy?: string })[]) =>
          judged.map(({ waivedBy: _waivedBy, ...fact }) => fact);
        expect({ ...rest, findings: bare(result.findings), gaps: bare(result.gaps) }).toEqual(output);
      }),
    );
  });
});

describe('severities of a policy', () => {
  const [one] = fc.sample(finding, 1);
  const severityOf = (parts: Partial<TracedFinding>, severities: VerdictPolicy['severities']) => {
    const output = { ...fc.sample(facts, 1)[0]!, findings: [{ ...one!, ...parts }], gaps: [] };
    const { result } = decide(output, policyOf({ severities }), NOW);
    return [result.findings[0]?.severity, result.verdict];
  };

  it('decide by the narrowest group that holds the carrier', () => {
    const severities = { 'known-home': { any: 'note', structural: 'warning', loader: 'error' } } as const;
    const known = { rule: 'known-home', severity: 'error' } as const;
    expect(severityOf({ ...known, carrier: 'bytes' }, severities)).toEqual(['note', 'clean']);
    expect(severityOf({ ...known, carrier: 'symlink' }, severities)).toEqual(['warning', 'clean']);
    expect(severityOf({ ...known, carrier: 'rpath' }, severities)).toEqual(['error', 'contaminated']);
  });

  it('are notes for foreign homes that a source has, unless the policy says otherwise', () => {
    const foreign = {
      rule: 'foreign-home',
      carrier: 'rpath',
      severity: 'error',
      source: '/nix/store/src',
    } as const;
    expect(severityOf(foreign, {})).toEqual(['note', 'clean']);
    expect(severityOf(foreign, { 'foreign-home': { bytes: 'error' } })).toEqual(['note', 'clean']);
    expect(severityOf(foreign, { 'foreign-home': { loader: 'error' } })).toEqual(['error', 'contaminated']);
    for (const rule of ['known-home', 'store-alias', 'root-home'] as const) {
      expect(severityOf({ ...foreign, rule }, {})).toEqual(['error', 'contaminated']);
    }
  });

  it.each(['error', 'warning', 'note'] as const)(
    'say whether a source of a foreign home that is a(n) %s matters',
    (severity) => {
      const foreign = { ...one!, rule: 'foreign-home', carrier: 'rpath', severity } as const;
      for (const strict of [false, true]) {
        for (const said of [{}, { any: 'error' }, { loader: 'warning' }, { bytes: 'error' }] as const) {
          const policy = policyOf({ severities: { 'foreign-home': said }, strict });
          const verdicts = [undefined, '/nix/store/src'].map((source) => {
            const findings = [source === undefined ? foreign : { ...foreign, source }];
            return decide({ ...fc.sample(facts, 1)[0]!, findings, gaps: [] }, policy, NOW).result.verdict;
          });
          expect([said, strict, dependsOnOrigin(foreign, policy)]).toEqual([
            said,
            strict,
            verdicts[0] !== verdicts[1],
          ]);
        }
      }
    },
  );

  it('leave other rules as they are, and stores of images notes', () => {
    const severities = { 'store-alias': { any: 'error' } } as const;
    expect(severityOf({ rule: 'foreign-home', severity: 'warning' }, severities)[0]).toBe('warning');
    expect(severityOf({ rule: 'store-alias', severity: 'warning' }, severities)[0]).toBe('error');
    expect(severityOf({ rule: 'store-alias', severity: 'note' }, severities)[0]).toBe('note');
  });
});

describe('gaps that a policy ignores', () => {
  it('are told and do not count; others do', () => {
    const [some] = fc.sample(gap, 1);
    const output = (...reasons: Gap['reason'][]) => ({
      ...fc.sample(facts, 1)[0]!,
      findings: [],
      gaps: reasons.map((reason) => ({ ...some!, reason })),
    });
    const policy = policyOf({ ignoredGaps: ['encrypted'] });
    const ignored = decide(output('encrypted'), policy, NOW).result;
    expect([ignored.verdict, ignored.gaps[0]?.waivedBy]).toEqual(['clean', 'gaps.ignore: encrypted']);
    expect(decide(output('encrypted', 'corrupt'), policy, NOW).result.verdict).toBe('incomplete');
  });
});
