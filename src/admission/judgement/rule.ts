import { byteStringOfText, type ByteString } from '../../model/bytes.ts';
import type { OutputFacts } from '../../model/facts.ts';
import type { OutputResult } from '../../model/report.ts';
import { contentName } from '../../nix/narHash.ts';
import type { ForeignHomeMode } from '../../policy/admission.ts';
import { decide } from '../../policy/decide.ts';
import type { VerdictPolicy } from '../../policy/policy.ts';
import { blocks, verdictOfOutput } from '../../policy/verdict.ts';
import type { Decisions, Release } from '../../quarantine/decision.ts';
import { blockingIds } from '../../report/blocking.ts';
import type { Digest } from '../../report/ids.ts';
import { softenKnownReferences } from '../../sources/references.ts';
import type { Approval } from '../catalog.ts';
import type { Ruling } from '../contracts.ts';
import type { Subject } from '../judge.ts';

/** What a ruling depends on besides facts. */
export interface Grounds {
  readonly policy: VerdictPolicy;
  /** What becomes of a foreign home in bytes that nobody has settled. */
  readonly foreignHome: ForeignHomeMode;
  readonly approvals: readonly Approval[];
  readonly decisions: Pick<Decisions, 'denial' | 'release'>;
  /** Homes and aliases that are known beforehand. */
  readonly known: { readonly homes: readonly ByteString[]; readonly aliases: readonly ByteString[] };
  readonly now: Date;
  readonly digest: Digest;
}

type JudgedFinding = OutputResult['findings'][number];

/**
 * What becomes of an upload. A denial beats everything; a release counts only where it covers all that stands against
 * the upload now. Depends on nothing but its arguments.
 */
export function ruleOn(facts: OutputFacts, subject: Subject, grounds: Grounds): Ruling {
  const { policy, decisions, now, digest } = grounds;
  const { narHash } = subject;
  const judged = decide(weighed(facts, subject, grounds), policy, now).result;
  const held = new Set<JudgedFinding>();
  const findings = judged.findings.map((finding) => {
    const weighted = withForeignHome(finding, grounds);
    if (weighted.severity !== finding.severity) held.add(weighted);
    return weighted;
  });
  const verdict = verdictOfOutput({ findings, gaps: judged.gaps }, policy);
  // of what has no hash nobody knows what would be admitted
  const result = {
    ...judged,
    findings,
    verdict: verdict === 'clean' && narHash === null ? ('incomplete' as const) : verdict,
  };
  const blocking = blockingIds(result, policy, digest);
  const name = subjectName(subject, facts);
  const denial = decisions.denial(name, narHash);
  if (denial !== null) return { standing: 'denied', result, blocking, decision: denial };
  if (result.verdict === 'clean') return { standing: 'clean', result, blocking, decision: null };
  const release = narHash === null ? null : releaseOf(name, narHash, blocking, grounds);
  if (release !== null) return { standing: 'released', result, blocking, decision: release };
  const isHeld =
    grounds.foreignHome === 'hold' && findings.every((each) => held.has(each) || !blocks(each, policy));
  const standing = result.verdict === 'contaminated' && isHeld ? 'held' : result.verdict;
  return { standing, result, blocking, decision: null };
}

/** The facts as the references weigh them: an alias that is a leak only for some of them waits until they are told. */
function weighed(
  facts: OutputFacts,
  { storePath, narHash, references }: Subject,
  { known }: Grounds,
): OutputFacts {
  const named = { ...facts, storePath, narHash };
  if (references === 'weighed') return named;
  const paths = references === null ? [] : [...(storePath === null ? [] : [storePath]), ...references];
  return softenKnownReferences(named, paths, known);
}

/**
 * By what the quarantine and the audit trail know an upload: its store path, else the name of its content, else that of
 * the object that was sent.
 */
export function subjectName(
  { storePath, narHash }: Subject,
  { target }: Pick<OutputFacts, 'target'>,
): string {
  return storePath ?? (narHash === null ? target : contentName(narHash));
}

/** Who sent it under another name, or before its path was known, may have been released then. */
function releaseOf(
  name: string,
  narHash: string,
  blocking: readonly string[],
  { decisions, now }: Grounds,
): Release | null {
  const names = new Set([name, contentName(narHash)]);
  for (const each of names) {
    const release = decisions.release(each, narHash, blocking, now);
    if (release !== null) return release;
  }
  return null;
}

/** A foreign home in text is settled by an approval of just that home; else it is what the server says it is. */
function withForeignHome(finding: JudgedFinding, { foreignHome, approvals }: Grounds): JudgedFinding {
  if (finding.rule !== 'foreign-home' || finding.severity !== 'warning') return finding;
  if (finding.waivedBy !== undefined) return finding;
  const approval = approvals.find(({ home }) => byteStringOfText(home) === finding.home);
  if (approval !== undefined)
    return { ...finding, waivedBy: `approved by ${approval.actor}: ${approval.reason}` };
  return foreignHome === 'warn' ? finding : { ...finding, severity: 'error' };
}
