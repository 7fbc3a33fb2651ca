import { openOwnReadOnly } from '../ledger/open.ts';
import type { AllDecisions } from './decision.ts';
import { openDecisions } from './decisions.ts';
import { orWithout, type Warn } from './witness.ts';

/**
 * The decisions that count for this user today.
 * @throws NarScanError STATE_*, AUDIT_*
 */
export async function openOwnDecisions(
  environment: NodeJS.ProcessEnv,
  warn: Warn,
): Promise<AllDecisions & Disposable> {
  const witness = orWithout(() => openOwnReadOnly(environment, warn), warn);
  try {
    return await openDecisions(environment, witness);
  } finally {
    await witness?.close();
  }
}
