import { reportError } from '../model/report.ts';
import type { AllDecisions } from '../quarantine/decision.ts';
import { openOwnDecisions } from '../quarantine/ownDecisions.ts';
import { tellError } from './diagnostics.ts';

/**
 * The decisions that count today.
 * @throws NarScanError STATE_*, AUDIT_*
 */
export async function todaysDecisions(environment: NodeJS.ProcessEnv): Promise<AllDecisions & Disposable> {
  return await openOwnDecisions(environment, warn);
}

/** Tells of what stops nothing. */
export function warn(error: unknown): void {
  tellError(reportError(error, null));
}
