import type { Ledger } from '../ledger/ledger.ts';

/** Told of what stops nothing. */
export type Warn = (error: unknown) => void;

/** A ledger that cannot be opened has seen nothing; the trail and its head are there all the same. */
export function orWithout(open: () => Ledger | null, warn: Warn): Ledger | null {
  try {
    return open();
  } catch (error) {
    warn(error);
    return null;
  }
}
