import type { OutputFacts } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';
import { decide } from '../policy/decide.ts';
import type { PathInfo } from '../nix/database.ts';
import type { VerdictPolicy } from '../policy/policy.ts';
import type { Decisions, Denial, Release } from '../quarantine/decision.ts';
import { blockingIds } from '../report/blocking.ts';
import type { Digest } from '../report/ids.ts';

/** Whether a store path may leave this machine, as far as it alone goes. */
export type Standing = 'clean' | 'released' | 'contaminated' | 'incomplete' | 'denied';

/** What is to be said of one store path. */
export interface PathStanding {
  readonly storePath: string;
  readonly standing: Standing;
  /** Of the very bytes that were scanned; null where they could not be hashed as a whole. */
  readonly narHash: string | null;
  /** What scanning found, and how the policy judges it; null where it could not be scanned. */
  readonly facts: OutputFacts | null;
  readonly result: OutputResult | null;
  /** Ids of the findings and gaps that block it under the policy, sorted; a release must name all of them. */
  readonly blocking: readonly string[];
  /** The decision that made it denied or released. */
  readonly denial: Denial | null;
  readonly release: Release | null;
}

/** What standings depend on besides facts. */
export interface Judgement {
  readonly policy: VerdictPolicy;
  readonly decisions: Decisions;
  readonly now: Date;
  readonly digest: Digest;
}

/** Whether a store path of this standing may leave if all that it refers to may. */
export function isFree(standing: Standing): boolean {
  return standing === 'clean' || standing === 'released';
}

/**
 * The standing of a store path: a denial beats everything, a release what the policy says.
 * @param registered the path and its content as the Nix database has them
 * @param facts null where it could not be scanned
 * @param broken something went wrong with it: then it is not clean, whatever its facts say
 */
export function standingOf(
  registered: Pick<PathInfo, 'storePath' | 'narHash'>,
  facts: OutputFacts | null,
  broken: boolean,
  { policy, decisions, now, digest }: Judgement,
): PathStanding {
  const { storePath } = registered;
  const narHash = facts?.narHash ?? null;
  // of what cannot be hashed the denied content may be what was registered
  const denial = decisions.denial(storePath, narHash) ?? decisions.denial(storePath, registered.narHash);
  const result = facts === null ? null : decide(facts, policy, now).result;
  const blocking = result === null ? [] : blockingIds(result, policy, digest);
  const known = { storePath, narHash, facts, result, blocking, denial };
  if (denial !== null) return { ...known, standing: 'denied', release: null };
  if (result === null) return { ...known, standing: 'incomplete', release: null };
  const { verdict } = result;
  // what has no hash may be other than what is registered
  const isDoubtful = broken || narHash === null;
  if (isDoubtful) return { ...known, standing: verdict === 'clean' ? 'incomplete' : verdict, release: null };
  if (verdict === 'clean') return { ...known, standing: 'clean', release: null };
  const release = decisions.release(storePath, narHash, blocking, now);
  return { ...known, standing: release === null ? verdict : 'released', release };
}
