import { beforeAll, describe, expect, it } from 'vitest';
import { isFree, type Judgement, standingOf } from '../../src/guard/standing.ts';
import type { OutputFacts } from '../../src/model/facts.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';
import type { Decisions, Denial, Release } from '../../src/quarantine/decision.ts';
import { findingId, gapId, loadDigest, type Digest } from '../../src/report/ids.ts';
import { cleanOutput, finding, gap as madeGap } from '../report/madeFacts.ts';

const PATH = '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-tool';
const DECIDED = { sequence: 1, reason: 'looked at', actor: 'alice@host', at: 0 };
const DENIAL: Denial = { ...DECIDED, storePath: null, hashPart: null, narHash: null };

let digest: Digest;
beforeAll(async () => {
  digest = await loadDigest();
});

/** Decisions that release what is blocked by these ids only, and deny everything or nothing. */
function judgement(released: readonly string[], denied = false): Judgement {
  const release: Release = { ...DECIDED, storePath: PATH, narHash: '', covers: released, expires: null };
  const decisions: Decisions = {
    refresh: () => undefined,
    denial: () => (denied ? DENIAL : null),
    release: (_path, _hash, blocking) => (blocking.every((id) => released.includes(id)) ? release : null),
  };
  return { policy: BUILT_IN_POLICY.verdict, decisions, now: new Date(0), digest };
}

const REGISTERED = { storePath: PATH, narHash: `sha256:${'0'.repeat(52)}` };
const HASHED: OutputFacts = { ...cleanOutput, ...REGISTERED };

const standing = (facts: OutputFacts | null, how: Judgement, broken = false) =>
  standingOf(REGISTERED, facts, broken, how).standing;

describe('the standing of a path', () => {
  const leak = finding({ leak: '/home/noamyr' });
  const gap = madeGap('share/x', 'an archive');
  const clean = HASHED;
  const leaking = { ...HASHED, findings: [leak], gaps: [gap] };
  const half = { ...HASHED, gaps: [gap] };

  it('is that of its facts where nobody decided anything', () => {
    expect(standing(clean, judgement([]))).toBe('clean');
    expect(standing(leaking, judgement([]))).toBe('contaminated');
    expect(standing(half, judgement([]))).toBe('incomplete');
    expect(standing(null, judgement([]))).toBe('incomplete');
  });

  it('names what blocks it: errors and gaps, no warnings', () => {
    const warning = finding({ leak: '/home/alex', severity: 'warning', home: '/home/alex' });
    const facts = { ...HASHED, findings: [leak, warning], gaps: [gap] };
    const { blocking } = standingOf(REGISTERED, facts, false, judgement([]));
    expect(blocking).toEqual([findingId(leak, digest), gapId(gap, digest)].toSorted());
  });

  it('is released where the release covers all that blocks it', () => {
    const all = [findingId(leak, digest), gapId(gap, digest)];
    expect(standing(leaking, judgement(all))).toBe('released');
    expect(standing(leaking, judgement(all.slice(1)))).toBe('contaminated');
    expect(standing(clean, judgement(all))).toBe('clean');
  });

  it('is never clean where its content is not known', () => {
    expect(standing({ ...clean, narHash: null }, judgement([]))).toBe('incomplete');
  });

  it('is denied where the content that is registered is, whatever lies there', () => {
    const decisions: Decisions = {
      refresh: () => undefined,
      denial: (_path, narHash) => (narHash === REGISTERED.narHash ? DENIAL : null),
      release: () => null,
    };
    for (const facts of [
      null,
      { ...clean, narHash: null },
      { ...clean, narHash: `sha256:${'1'.repeat(52)}` },
    ]) {
      expect(standing(facts, { ...judgement([]), decisions })).toBe('denied');
    }
  });

  it('is never released where its content is not known', () => {
    const facts = { ...leaking, narHash: null };
    const all = [findingId(leak, digest), gapId(gap, digest)];
    expect(standing(facts, judgement(all))).toBe('contaminated');
  });

  it('is denied whatever else is known', () => {
    for (const facts of [clean, leaking, half, null]) {
      expect(standing(facts, judgement([findingId(leak, digest), gapId(gap, digest)], true))).toBe('denied');
    }
  });

  it('is neither clean nor released where something went wrong', () => {
    for (const facts of [clean, leaking, half, null]) {
      const all = [findingId(leak, digest), gapId(gap, digest)];
      expect(isFree(standing(facts, judgement(all), true))).toBe(false);
    }
  });
});
