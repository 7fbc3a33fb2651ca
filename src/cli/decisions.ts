import type { Ledger } from '../ledger/ledger.ts';
import { openOwnReadOnly } from '../ledger/open.ts';
import { reportError } from '../model/report.ts';
import type { AllDecisions } from '../quarantine/decision.ts';
import { openDecisions } from '../quarantine/decisions.ts';
import { tellError } from './diagnostics.ts';

/**
 * The decisions that count today.
 * @throws NarScanError STATE_*, AUDIT_*
 */
export async function todaysDecisions(environment: NodeJS.ProcessEnv): Promise<AllDecisions & Disposable> {
  const witness = orWithout(() => openOwnReadOnly(environment, warn));
  try {
    return await openDecisions(environment, witness);
  } finally {
    await witness?.close();
  }
}

/** A ledger that cannot be opened has seen nothing; the trail and its head are there all the same. */
export function orWithout(open: () => Ledger | null): Ledger | null {
  try {
    return open();
  } catch (error) {
    warn(error);
    return null;
  }
}

/** Tells of what stops nothing. */
export function warn(error: unknown): void {
  tellError(reportError(error, null));
}
