import { type Grounds, ruleOn } from '../../../src/admission/judgement/rule.ts';
import type { Approval } from '../../../src/admission/catalog.ts';
import type { Subject } from '../../../src/admission/judge.ts';
import type { OutputFacts } from '../../../src/model/facts.ts';
import { BUILT_IN_POLICY } from '../../../src/policy/policy.ts';
import type { Denial, Release } from '../../../src/quarantine/decision.ts';
import { loadDigest } from '../../../src/report/ids.ts';
import { cleanOutput, finding } from '../../report/madeFacts.ts';

export const NAR_HASH = `sha256:${'0'.repeat(52)}`;
export const CONTENT = `nar/${'0'.repeat(52)}.nar`;
export const STORE_PATH = '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-tool-1.2';
export const REFERENCE = '/nix/store/zyxwvsrqpnmlkjihgfdcba9876543210-lib';

/** A NAR whose narinfo has not come, and one whose narinfo is there. */
export const CONTENT_ALONE: Subject = { storePath: null, narHash: NAR_HASH, references: null };
export const PATH: Subject = { storePath: STORE_PATH, narHash: NAR_HASH, references: [REFERENCE] };

const CLEAN: OutputFacts = { ...cleanOutput, target: CONTENT, storePath: null, narHash: NAR_HASH };

const DECIDED = { sequence: 7, reason: 'looked at', actor: 'alice@host', at: 0 };
export const DENIAL: Denial = { ...DECIDED, storePath: null, hashPart: null, narHash: NAR_HASH };

/** A release of what goes by this name, in spite of these ids. */
export function releaseOf(name: string, covers: readonly string[]): Release {
  return { ...DECIDED, storePath: name, narHash: NAR_HASH, covers, expires: null };
}

export const APPROVAL: Approval = { home: '/home/bob', reason: 'the author', actor: 'alice', at: 0 };

/** Somebody's home in bytes, whom nobody has named. */
export const foreign = (home = '/home/bob', entry = 'share/doc/readme') =>
  finding({
    rule: 'foreign-home',
    severity: 'warning',
    home,
    leak: home,
    location: { entry, container: [], offset: 1, outerOffset: 1 },
  });

const digest = await loadDigest();

/** Grounds on which nothing is decided, changed by `parts`. */
export function groundsOf(
  parts: Partial<Grounds> & { releases?: readonly Release[]; denial?: Denial },
): Grounds {
  const { releases = [], denial = null, ...rest } = parts;
  return {
    policy: BUILT_IN_POLICY.verdict,
    foreignHome: 'hold',
    approvals: [],
    known: { homes: [], aliases: [] },
    now: new Date(0),
    digest,
    decisions: {
      denial: () => denial,
      release: (name, narHash, blocking) =>
        releases.find(
          (each) =>
            each.storePath === name &&
            each.narHash === narHash &&
            blocking.length > 0 &&
            blocking.every((id) => each.covers.includes(id)),
        ) ?? null,
    },
    ...rest,
  };
}

export const rulingOn = (
  facts: Partial<OutputFacts>,
  subject: Subject = CONTENT_ALONE,
  parts: Parameters<typeof groundsOf>[0] = {},
) => ruleOn({ ...CLEAN, ...facts, narHash: subject.narHash }, subject, groundsOf(parts));
