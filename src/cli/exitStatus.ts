import type { Verdict } from '../model/facts.ts';

/** Bad usage, or nothing could be done or delivered. */
export const EXIT_ERROR = 2;

/** The one place that decides the exit status of a run: contaminated wins over an error, an error over incomplete. */
export function exitStatus(verdict: Verdict, errors: number): 0 | 1 | 2 | 3 {
  if (verdict === 'contaminated') return 1;
  if (errors > 0) return EXIT_ERROR;
  return verdict === 'incomplete' ? 3 : 0;
}
