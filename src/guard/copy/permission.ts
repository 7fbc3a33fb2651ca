import { dayOf } from '../../policy/decide.ts';
import type { AllDecisions } from '../../quarantine/decision.ts';
import { deniedText } from '../../quarantine/decisionText.ts';
import type { Closure } from '../closure.ts';
import { isFree, type Judgement, type PathStanding, standingOf } from '../standing.ts';
import { Refusal } from './refusal.ts';

/** What may leave, and under what. */
interface PermissionParts extends Omit<Judgement, 'now' | 'decisions'> {
  /** Paths that may leave, with all that they refer to. */
  readonly free: readonly string[];
  readonly closure: Closure;
  readonly standings: ReadonlyMap<string, PathStanding>;
  readonly decisions: Pick<AllDecisions, 'refresh' | 'fingerprint' | 'denial' | 'release'>;
}

/**
 * What let paths out when they were judged, and whether it still does: a transfer may take hours, in which people deny
 * and take back, and releases and waivers come to their end.
 */
export class Permission {
  readonly #parts: PermissionParts;
  /** What they were judged under last; null: nothing. */
  #under: { readonly decisions: string; readonly day: string; readonly until: number } | null = null;

  constructor(parts: PermissionParts) {
    this.#parts = parts;
  }

  /**
   * Judges the paths again if anything has changed that may be against one of them: a path that stays here keeps all that
   * refers to it here, whether it is at the destination already or not.
   * @throws Refusal PATH_DENIED, PATH_HELD_BACK; NarScanError AUDIT_*, STATE_* where nobody knows what was decided
   */
  renew(now: Date): void {
    const { free, decisions } = this.#parts;
    decisions.refresh();
    const under = { decisions: decisions.fingerprint(), day: dayOf(now) };
    const before = this.#under;
    if (before?.decisions === under.decisions && before.day === under.day && now.getTime() < before.until)
      return;
    let until = Infinity;
    for (const path of free) until = Math.min(until, this.#freeUntil(path, now));
    this.#under = { ...under, until };
  }

  /** @returns milliseconds since 1970 at which the release that lets a path out ends */
  #freeUntil(path: string, now: Date): number {
    const { closure, standings, policy, decisions, digest } = this.#parts;
    const judged = standings.get(path);
    const registered = closure.get(path) ?? { storePath: path, narHash: '' };
    const standing = standingOf(registered, judged?.facts ?? null, false, { policy, decisions, now, digest });
    if (standing.denial !== null) {
      const message = `'${path}' is ${deniedText(standing.denial, String)}`;
      throw new Refusal('PATH_DENIED', message, 'contaminated');
    }
    if (isFree(standing.standing)) return standing.release?.expires ?? Infinity;
    const release = judged?.release ?? null;
    const ended = release === null ? 'a waiver' : `the release of record ${release.sequence}`;
    const message = `'${path}' is ${standing.standing} again: ${ended} counts no more`;
    throw new Refusal(
      'PATH_HELD_BACK',
      message,
      standing.standing === 'incomplete' ? 'incomplete' : 'contaminated',
    );
  }
}
