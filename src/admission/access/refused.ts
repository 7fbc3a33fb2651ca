import type { NarScanError } from '../../model/errors.ts';
import { answerOf } from '../answers.ts';
import type { Passage } from '../callers.ts';

/** How to ask again: browsers ask people for a password, and Nix takes it from its netrc file. */
export const CHALLENGE = { 'www-authenticate': 'Basic realm="nar-scan", charset="UTF-8"' };

/**
 * What is told to somebody who may not do what they ask for.
 * @param name whose token it is; null: nobody's
 */
export function refused(error: NarScanError, name: string | null): Passage {
  const refusal = answerOf(error);
  return { caller: null, name, refusal, headers: refusal.status === 401 ? CHALLENGE : {} };
}
