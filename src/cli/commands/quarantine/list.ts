import { byteStringOfText } from '../../../model/bytes.ts';
import { dayStart, spanOf } from '../../../model/when.ts';
import { compileGlob } from '../../../policy/glob.ts';
import type { AuditLog } from '../../../quarantine/audit.ts';
import type { Decisions } from '../../../quarantine/decision.ts';
import { keptBytes, quarantineDir } from '../../../quarantine/store/place.ts';
import type { QuarantinedRecord } from '../../../quarantine/trail/record.ts';
import { printableJson, printableText } from '../../../report/printable.ts';
import { bytesForPeople } from '../../../report/units.ts';
import type { Arguments } from '../../arguments.ts';
import { todaysDecisions } from '../../decisions.ts';
import { hasState, inSession, refuseOperands } from './session.ts';

/** An output in quarantine, as it is listed. */
interface Listed {
  readonly id: string;
  readonly at: string;
  readonly storePath: string;
  readonly narHash: string | null;
  readonly verdict: QuarantinedRecord['verdict'];
  readonly rules: readonly string[];
  readonly gaps: readonly string[];
  readonly homes: readonly string[];
  /** Bytes of the kept NAR; null where it is not kept, or no more. */
  readonly kept: number | null;
  readonly decision: 'denied' | 'released' | null;
}

/**
 * `quarantine list`: one line an output, or one JSON document a line.
 * @throws NarScanError STATE_*, AUDIT_*
 */
export async function listQuarantine(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  write: (text: string) => void,
): Promise<void> {
  refuseOperands(said);
  if (!hasState(environment)) return;
  const fits = filterOf(said);
  const json = said.has('json');
  await inSession(said, environment, async ({ log }) => {
    using decisions = await todaysDecisions(environment);
    const now = new Date();
    for (const record of log.outputs(sinceOf(said.last('since'), now))) {
      if (!fits(record)) continue;
      const listed = { ...listedOf(record, log), decision: decisionOn(record, decisions, now) };
      write(json ? `${printableJson(listed)}\n` : lineOf(listed));
    }
  });
}

/** Milliseconds since 1970 from which on outputs are wanted. */
function sinceOf(text: string | null, now: Date): number {
  if (text === null) return 0;
  const span = spanOf(text);
  return span === null ? (dayStart(text)?.getTime() ?? 0) : now.getTime() - span;
}

function filterOf(said: Arguments): (record: QuarantinedRecord) => boolean {
  const glob = said.last('path');
  const path = glob === null ? null : compileGlob(glob);
  const homes = said.all('home');
  const rule = said.last('rule');
  return (record) => {
    const text = byteStringOfText(record.storePath);
    if (path !== null && !path(text) && !path(text.slice(text.lastIndexOf('/') + 1))) return false;
    if (homes.length > 0 && !record.homes.some((home) => homes.includes(home))) return false;
    return rule === null || (record.rules as readonly string[]).includes(rule);
  };
}

function listedOf(record: QuarantinedRecord, log: AuditLog): Omit<Listed, 'decision'> {
  const { id, at, storePath, narHash, verdict, rules, gaps, homes } = record;
  const kept = keptBytes(quarantineDir(log.directory), id);
  return { id, at, storePath, narHash, verdict, rules, gaps, homes, kept };
}

function decisionOn(
  { storePath, narHash, blocking }: QuarantinedRecord,
  decisions: Decisions,
  now: Date,
): Listed['decision'] {
  if (decisions.denial(storePath, narHash) !== null) return 'denied';
  const release = narHash === null ? null : decisions.release(storePath, narHash, blocking, now);
  return release === null ? null : 'released';
}

function lineOf({ id, at, storePath, verdict, rules, gaps, kept, decision }: Listed): string {
  const why = [...rules, ...gaps].join(',');
  const held = kept === null ? 'not kept' : `kept ${bytesForPeople(kept)}`;
  const parts = [decision ?? verdict, why, held].join('; ');
  return `${id}  ${at.slice(0, 10)}  ${printableText(storePath)}  (${parts})\n`;
}
