import { contentName } from '../nix/narHash.ts';
import { hashPartOf } from '../nix/storePath.ts';
import type { Denial, Release } from './decision.ts';

/** Whether a decision is on what somebody means who takes decisions back. */
export type DecidedOn = (decision: Denial | Release) => boolean;

/** A content, under whatever name it was decided on. @param narHash as `parseNarHash` gives it */
export function onContent(narHash: string): DecidedOn {
  return (decision) => decision.narHash === narHash;
}

/**
 * One content of a store path, or of what goes by another name; also where it was released by its content alone.
 * @param narHash null: it has none
 */
export function onOutput(storePath: string, narHash: string | null): DecidedOn {
  const isDenied = byDenial(storePath, narHash);
  return (decision) => {
    if (!('covers' in decision)) return isDenied(decision);
    const isNamed = outputKey(decision.storePath) === outputKey(storePath);
    return decision.narHash === narHash && (isNamed || decision.storePath === contentName(decision.narHash));
  };
}

/**
 * A store path, whatever lay there when it was decided on.
 * @param narHash of what is known to have lain there last; null: nobody knows
 */
export function onPath(storePath: string, narHash: string | null): DecidedOn {
  const isOnOutput = onOutput(storePath, narHash);
  return (decision) => {
    const isRelease = 'covers' in decision;
    return isOnOutput(decision) || (isRelease && outputKey(decision.storePath) === outputKey(storePath));
  };
}

/** What a decision itself is on. */
export function onTheSame(decision: Denial | Release): DecidedOn {
  if ('covers' in decision) return onOutput(decision.storePath, decision.narHash);
  const { hashPart, narHash } = decision;
  return hashPart === null
    ? onContent(narHash ?? '')
    : onPath(decision.storePath ?? `${hashPart}-x`, narHash);
}

/** What outputs are told apart by: a denial may name one by the last part of its path. */
export function outputKey(storePath: string): string {
  return hashPartOf(storePath) ?? storePath;
}

function byDenial(storePath: string, narHash: string | null): (denial: Denial) => boolean {
  const hashPart = hashPartOf(storePath);
  return (denial) =>
    (denial.hashPart !== null && denial.hashPart === hashPart) ||
    (denial.narHash !== null && denial.narHash === narHash);
}
