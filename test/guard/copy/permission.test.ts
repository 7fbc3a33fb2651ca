import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Permission } from '../../../src/guard/copy/permission.ts';
import { standingOf } from '../../../src/guard/standing.ts';
import type { OutputFacts } from '../../../src/model/facts.ts';
import type { PathInfo } from '../../../src/nix/database.ts';
import { BUILT_IN_POLICY, type VerdictPolicy } from '../../../src/policy/policy.ts';
import { parsePolicy } from '../../../src/policy/read.ts';
import type { Denial, Release } from '../../../src/quarantine/decision.ts';
import { type Digest, loadDigest } from '../../../src/report/ids.ts';
import { cleanOutput, finding, gap } from '../../report/madeFacts.ts';

const PATH = '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-tool';
const HASH = `sha256:${'0'.repeat(52)}`;
const DECIDED = { sequence: 7, reason: 'looked at', actor: 'alice@host', at: 0 };
const BEGIN = Date.parse('2027-01-31T20:00:00Z');
const HOUR = 3_600_000;

const LEAKING: OutputFacts = {
  ...cleanOutput,
  storePath: PATH,
  narHash: HASH,
  findings: [finding({ leak: '/home/noamyr' })],
};

let digest: Digest;
beforeAll(async () => {
  digest = await loadDigest();
});

describe('what lets a path out', () => {
  let denial: Denial | null;
  let release: Release | null;
  let asked: number;
  beforeEach(() => {
    denial = null;
    release = { ...DECIDED, storePath: PATH, narHash: HASH, covers: [], expires: BEGIN + HOUR };
    asked = 0;
  });
  const decisions = {
    refresh: () => undefined,
    fingerprint: () => JSON.stringify([denial, release]),
    denial: () => denial,
    release: (_path: string, _hash: string, _blocking: readonly string[], now: Date) => {
      asked++;
      return release !== null && now.getTime() < (release.expires ?? Infinity) ? release : null;
    },
  };

  function permission(facts = LEAKING, policy: VerdictPolicy = BUILT_IN_POLICY.verdict): Permission {
    const info = { storePath: PATH, narHash: HASH, references: [] } as unknown as PathInfo;
    const standing = standingOf(info, facts, false, { policy, decisions, now: new Date(BEGIN), digest });
    const parts = { closure: new Map([[PATH, info]]), standings: new Map([[PATH, standing]]), free: [PATH] };
    return new Permission({ ...parts, policy, decisions, digest });
  }

  const held = (verdict: string, message: RegExp) =>
    expect.objectContaining({ code: 'PATH_HELD_BACK', verdict, message: expect.stringMatching(message) });

  it('is not asked again while nothing changes', () => {
    const renewed = permission();
    for (const minutes of [0, 1, 59]) renewed.renew(new Date(BEGIN + minutes * 60_000));
    // once when it was judged
    expect(asked).toBe(2);
  });

  it('ends when its release does', () => {
    const renewed = permission();
    renewed.renew(new Date(BEGIN));
    expect(() => renewed.renew(new Date(BEGIN + HOUR))).toThrow(
      held('contaminated', /-tool' is contaminated again: the release of record 7 counts no more$/),
    );
  });

  it('ends when its release is taken back, and goes on under another one', () => {
    const renewed = permission({ ...LEAKING, findings: [], gaps: [gap('x', 'an archive')] });
    renewed.renew(new Date(BEGIN));
    release = { ...DECIDED, storePath: PATH, narHash: HASH, covers: [], expires: null };
    renewed.renew(new Date(BEGIN + 2 * HOUR));
    release = null;
    expect(() => renewed.renew(new Date(BEGIN + 2 * HOUR))).toThrow(held('incomplete', /incomplete again/));
  });

  it('ends on the day on which a waiver does', () => {
    release = null;
    const text =
      '[[waivers]]\nrule = "known-home"\noutput = "*-tool"\nbecause = "known"\nexpires = 2027-02-01\n';
    const { verdict } = parsePolicy(Buffer.from(text), 'policy.toml');
    const renewed = permission(LEAKING, verdict);
    renewed.renew(new Date(BEGIN));
    renewed.renew(new Date(BEGIN + 3 * HOUR));
    expect(() => renewed.renew(new Date(BEGIN + 4 * HOUR))).toThrow(
      held('contaminated', /a waiver counts no/),
    );
  });

  it('does not count against a denial', () => {
    const renewed = permission({ ...LEAKING, findings: [] });
    renewed.renew(new Date(BEGIN));
    denial = { ...DECIDED, storePath: PATH, hashPart: null, narHash: null };
    expect(() => renewed.renew(new Date(BEGIN))).toThrow(
      expect.objectContaining({ code: 'PATH_DENIED', verdict: 'contaminated' }),
    );
  });
});
