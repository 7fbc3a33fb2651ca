import type { Gap, OutputFacts } from '../../model/facts.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Ruling } from '../contracts.ts';
import type { Subject } from '../judge.ts';
import { isAdmitted, outcomeOf } from '../outcome.ts';
import type { PublicationParts } from './parts.ts';

/**
 * Whether what was ruled so is published.
 * @param isUninspected it could not be inspected for a fault of this machine, and the server is to let that pass
 */
export function admits(
  ruling: Ruling,
  isUninspected: boolean,
  { dryRun }: PublicationParts['settings'],
): boolean {
  return isAdmitted(ruling.standing, isUninspected) || dryRun;
}

/** A ruling on what nobody has looked into: whatever gaps a policy overlooks, that is never clean. */
export function ruledUnseen(ruling: Ruling): Ruling {
  return outcomeOf(ruling) === 'admitted' ? { ...ruling, standing: 'incomplete' } : ruling;
}

/** Tells the log where something passes that would be refused. */
export function tellInSpite(
  ruling: Ruling,
  subject: Subject,
  what: string,
  { judge, log }: Pick<PublicationParts, 'judge' | 'log'>,
): void {
  if (outcomeOf(ruling) === 'admitted') return;
  log.warn(`${what} in spite of being ${judge.against(ruling, subject)}`);
}

/** Whether an inspection failed for a fault of this machine, and the operator has said that it may. */
export function mayPass(error: unknown, { policy }: PublicationParts['settings']): boolean {
  const isFault = error instanceof NarScanError && error.code === 'SCAN_FAILED';
  return isFault && policy.admission.onFailure === 'open';
}

/** Facts of what nobody has looked into: one gap. */
export function uninspected(
  target: string,
  storePath: string | null,
  narHash: string,
  cause: unknown,
): OutputFacts {
  const location = { entry: '', container: [], offset: null, outerOffset: null };
  const detail = cause instanceof Error ? cause.message : 'it was not inspected';
  const gap: Gap = { reason: 'internal', location, detail };
  const stats = { entries: 0, files: 0, bytes: 0, expandedBytes: 0, milliseconds: 0 };
  return { target, storePath, narHash, findings: [], gaps: [gap], stats };
}

/**
 * Facts of an output and of a text that is published with it, as those of one output. The text gets a name that
 * no entry can have.
 */
export function together(output: OutputFacts, text: OutputFacts, name: string): OutputFacts {
  const placed = <T extends OutputFacts['findings'][number] | Gap>(fact: T): T => ({
    ...fact,
    location: { ...fact.location, entry: `/${name}` },
  });
  return {
    ...output,
    findings: [...output.findings, ...text.findings.map(placed)],
    gaps: [...output.gaps, ...text.gaps.map(placed)],
  };
}
