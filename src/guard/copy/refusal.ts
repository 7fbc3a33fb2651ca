import { type ErrorCode, NarScanError } from '../../model/errors.ts';
import type { Verdict } from '../../model/facts.ts';

/** What ended a transfer by a verdict, ours or that of the destination: a path stays here, and nothing is at fault. */
export class Refusal extends NarScanError {
  readonly verdict: Exclude<Verdict, 'clean'>;

  constructor(
    code: Extract<ErrorCode, 'NIX_REFUSED' | 'PATH_DENIED' | 'PATH_HELD_BACK'>,
    message: string,
    verdict: Refusal['verdict'],
    cause?: unknown,
  ) {
    super(code, message, { cause });
    this.verdict = verdict;
  }
}

/** The verdict on what was sent, as a cache of nar-scan's says it; whatever else it answers begins with a code in capitals. */
const VERDICT = /nar-scan: (?<verdict>[0-9a-z].*)/;
/** Of verdicts: what leaks, is denied or held, and what could not be inspected. */
const REFUSED = /\bHTTP error (?<status>403|422)\b/;

/** What a cache of nar-scan's said in a line that Nix printed; null where it says nothing. */
export function verdictIn(line: string): string | null {
  return VERDICT.exec(line)?.groups?.['verdict']?.trim() ?? null;
}

/**
 * Nix's failure as the verdict of a cache of nar-scan's; null where it is none.
 * @param shown the destination, without secrets
 * @param said what {@link verdictIn} found last in what Nix said: not every protocol has room for it in the error itself
 */
export function refusalBy(shown: string, failure: NarScanError, said: string | null): Refusal | null {
  const status = REFUSED.exec(failure.message)?.groups?.['status'];
  // there it stands between ('…'), the reason of the status
  const own = verdictIn(failure.message)?.replace(/'\)$/, '') ?? null;
  const verdict = said ?? own;
  if (status === undefined || verdict === null) return null;
  const message = `${shown} refuses a path: ${verdict}`;
  return new Refusal('NIX_REFUSED', message, status === '422' ? 'incomplete' : 'contaminated', failure);
}
