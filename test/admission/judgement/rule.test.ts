import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FOREIGN_HOME_MODES } from '../../../src/policy/admission.ts';
import { BUILT_IN_POLICY } from '../../../src/policy/policy.ts';
import { RULES, SEVERITIES } from '../../../src/model/facts.ts';
import { finding, gap } from '../../report/madeFacts.ts';
import {
  APPROVAL,
  CONTENT,
  CONTENT_ALONE,
  DENIAL,
  foreign,
  PATH,
  REFERENCE,
  releaseOf,
  rulingOn,
  STORE_PATH,
} from './rulings.ts';

const leak = finding({ leak: '/home/noamyr' });
const hole = gap('share/x.rar', 'rar is not opened');

/** What a store path behind another directory than the store looks like. */
const alias = (hashPart: string, prefix = '/gpfs/nix/store') =>
  finding({ rule: 'store-alias', home: null, alias: prefix, hashPart, leak: `${prefix}/${hashPart}-x` });
const OWN = STORE_PATH.slice('/nix/store/'.length, '/nix/store/'.length + 32);
const OF_REFERENCE = REFERENCE.slice('/nix/store/'.length, '/nix/store/'.length + 32);
const OF_NOBODY = 'a'.repeat(32);

describe('a ruling', () => {
  it('is what the facts are where nobody decided anything', () => {
    expect(rulingOn({})).toMatchObject({ standing: 'clean', blocking: [], decision: null });
    expect(rulingOn({ findings: [leak] })).toMatchObject({ standing: 'contaminated' });
    expect(rulingOn({ gaps: [hole] })).toMatchObject({ standing: 'incomplete' });
    expect(rulingOn({ findings: [foreign()] })).toMatchObject({ standing: 'held' });
  });

  it('says the worst of several: denied, contaminated, held, incomplete', () => {
    const all = { findings: [foreign(), leak], gaps: [hole] };
    expect(rulingOn(all, CONTENT_ALONE, { denial: DENIAL })).toMatchObject({
      standing: 'denied',
      decision: DENIAL,
    });
    expect(rulingOn(all).standing).toBe('contaminated');
    expect(rulingOn({ ...all, findings: [foreign()] }).standing).toBe('held');
    expect(rulingOn({ ...all, findings: [] }).standing).toBe('incomplete');
  });

  it('denies what is clean, too', () => {
    expect(rulingOn({}, PATH, { denial: DENIAL }).standing).toBe('denied');
  });

  it('is never clean for what has no hash', () => {
    const ruling = rulingOn({}, { ...PATH, narHash: null });
    expect(ruling).toMatchObject({ standing: 'incomplete', result: { verdict: 'incomplete' } });
  });

  it('names all that stands against it, the homes that are held among them', () => {
    expect(rulingOn({ findings: [foreign(), leak], gaps: [hole] }).blocking).toHaveLength(3);
    const { blocking } = rulingOn({ findings: [foreign(), leak], gaps: [hole] }, PATH, {
      foreignHome: 'warn',
    });
    expect(blocking).toHaveLength(2);
  });

  it('goes by the policy: severities, waivers and strictness', () => {
    const lenient = { ...BUILT_IN_POLICY.verdict, severities: { 'known-home': { any: 'note' as const } } };
    expect(rulingOn({ findings: [leak] }, PATH, { policy: lenient }).standing).toBe('clean');
    const silent = { ...BUILT_IN_POLICY.verdict, severities: { 'foreign-home': { any: 'note' as const } } };
    expect(rulingOn({ findings: [foreign()] }, PATH, { policy: silent }).standing).toBe('clean');
    const strict = { ...BUILT_IN_POLICY.verdict, strict: true };
    const warned = { findings: [foreign()] };
    expect(rulingOn(warned, PATH, { policy: strict, foreignHome: 'warn' }).standing).toBe('contaminated');
  });
});

describe('facts that are weighed already', () => {
  it('are not weighed again: a foreign alias of nobody’s stays what it was where nobody tells the references', () => {
    const facts = { findings: [alias(OF_NOBODY)] };
    expect(rulingOn(facts, { ...PATH, references: [] }).standing).toBe('clean');
    expect(rulingOn(facts, { ...PATH, references: 'weighed' }).standing).toBe('contaminated');
  });
});

describe('a foreign home in bytes', () => {
  it('is held, a warning or an error, as the server is set', () => {
    const standings = FOREIGN_HOME_MODES.map(
      (foreignHome) => rulingOn({ findings: [foreign()] }, PATH, { foreignHome }).standing,
    );
    expect(Object.fromEntries(FOREIGN_HOME_MODES.map((mode, at) => [mode, standings[at]]))).toEqual({
      hold: 'held',
      warn: 'clean',
      error: 'contaminated',
    });
  });

  it('is settled by an approval of just that home, whatever the server is set to', () => {
    const approvals = [APPROVAL];
    for (const foreignHome of FOREIGN_HOME_MODES) {
      const ruling = rulingOn({ findings: [foreign()] }, PATH, { foreignHome, approvals });
      expect(ruling).toMatchObject({
        standing: 'clean',
        result: { findings: [{ severity: 'warning', waivedBy: 'approved by alice: the author' }] },
      });
      const other = rulingOn({ findings: [foreign(), foreign('/home/bobby')] }, PATH, {
        foreignHome,
        approvals,
      });
      expect(other.blocking).toHaveLength(foreignHome === 'warn' ? 0 : 1);
    }
  });

  it('in a field that is looked up as a path stays an error, approved or not', () => {
    const structural = { ...foreign(), carrier: 'runpath' as const, severity: 'error' as const };
    const ruling = rulingOn({ findings: [structural, foreign()] }, PATH, { approvals: [APPROVAL] });
    expect(ruling).toMatchObject({ standing: 'contaminated' });
    expect(ruling.blocking).toHaveLength(1);
  });
});

describe('an alias of the store', () => {
  it('that may be another’s example waits until the references are told', () => {
    for (const part of [OWN, OF_REFERENCE]) {
      expect(rulingOn({ findings: [alias(part)] }, CONTENT_ALONE).standing).toBe('clean');
      expect(rulingOn({ findings: [alias(part)] }, PATH).standing).toBe('contaminated');
    }
    expect(rulingOn({ findings: [alias(OF_NOBODY)] }, PATH).standing).toBe('clean');
  });

  it('that is known, lies in a known home or is packed is a leak whatever they are', () => {
    const known = { homes: ['/home/noamyr'], aliases: ['/gpfs/nix/store'] };
    expect(rulingOn({ findings: [alias(OF_NOBODY)] }, CONTENT_ALONE, { known }).standing).toBe(
      'contaminated',
    );
    const atHome = { ...alias(OF_NOBODY, '/home/noamyr/nix/store'), home: '/home/noamyr' };
    expect(rulingOn({ findings: [atHome] }, CONTENT_ALONE, { known }).standing).toBe('contaminated');
    const packed = { ...alias(OF_NOBODY), encoding: 'base64' as const };
    expect(rulingOn({ findings: [packed] }, CONTENT_ALONE).standing).toBe('contaminated');
  });
});

describe('a release', () => {
  const facts = { findings: [leak, foreign()], gaps: [hole] };
  const { blocking } = rulingOn(facts);

  it('of the store path or of the content lets out exactly what it covers', () => {
    for (const name of [STORE_PATH, CONTENT]) {
      const release = releaseOf(name, blocking);
      expect(rulingOn(facts, PATH, { releases: [release] })).toMatchObject({
        standing: 'released',
        decision: release,
      });
      for (const left of blocking) {
        const less = releaseOf(
          name,
          blocking.filter((id) => id !== left),
        );
        expect(rulingOn(facts, PATH, { releases: [less] }).standing).toBe('contaminated');
      }
    }
  });

  it('is outlived by a new finding', () => {
    const more = {
      ...facts,
      findings: [...facts.findings, finding({ leak: '/home/noamyr', carrier: 'rpath' })],
    };
    expect(rulingOn(more, PATH, { releases: [releaseOf(STORE_PATH, blocking)] }).standing).toBe(
      'contaminated',
    );
  });

  it('of another store path is none of this one, nor of content that nobody has named', () => {
    const releases = [releaseOf(STORE_PATH, blocking)];
    expect(rulingOn(facts, CONTENT_ALONE, { releases }).standing).toBe('contaminated');
    expect(rulingOn(facts, { ...PATH, storePath: REFERENCE }, { releases }).standing).toBe('contaminated');
  });

  it('counts neither against a denial nor for what has no hash', () => {
    const releases = [releaseOf(STORE_PATH, blocking)];
    expect(rulingOn(facts, PATH, { releases, denial: DENIAL }).standing).toBe('denied');
    expect(rulingOn(facts, { ...PATH, narHash: null }, { releases }).standing).toBe('contaminated');
  });
});

describe('whatever is found', () => {
  const anyFinding = fc
    .record({
      rule: fc.constantFrom(...RULES),
      severity: fc.constantFrom(...SEVERITIES),
      home: fc.constantFrom('/home/bob', '/home/noamyr', '/home/eve'),
      offset: fc.nat(5),
    })
    .map(({ offset, ...parts }) =>
      finding({
        ...parts,
        leak: parts.home,
        location: { entry: 'x', container: [], offset, outerOffset: offset },
      }),
    );
  const anyFacts = fc.record({
    findings: fc.array(anyFinding, { maxLength: 6 }),
    gaps: fc.array(fc.constant(hole), { maxLength: 1 }),
  });

  it('a ruling is clean if and only if nothing stands against it, and it is no worse than its mode allows', () => {
    fc.assert(
      fc.property(
        anyFacts,
        fc.constantFrom(...FOREIGN_HOME_MODES),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (facts, foreignHome, isApproved, strict, isWhole) => {
          const policy = { ...BUILT_IN_POLICY.verdict, strict };
          const approvals = isApproved ? [APPROVAL] : [];
          const subject = isWhole ? PATH : { ...PATH, narHash: null };
          const { standing, blocking, result } = rulingOn(facts, subject, { foreignHome, approvals, policy });
          if (standing === 'clean') expect(blocking).toEqual([]);
          if (blocking.length === 0) expect(standing).toBe(isWhole ? 'clean' : 'incomplete');
          expect(result.verdict === 'clean').toBe(standing === 'clean');
          const errors = facts.findings.filter(({ severity }) => severity === 'error').length;
          if (errors > 0) expect(standing).toBe('contaminated');
          if (standing === 'held') expect([errors, foreignHome]).toEqual([0, 'hold']);
          if (standing === 'incomplete' && isWhole) expect(facts.gaps).not.toEqual([]);
        },
      ),
    );
  });
});
