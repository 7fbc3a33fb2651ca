import type { AuditLog } from '../../../quarantine/audit.ts';
import type { Decisions, Denial, Release } from '../../../quarantine/decision.ts';
import { deniedText, releasedText } from '../../../quarantine/decisionText.ts';
import { keptBytes, quarantineDir } from '../../../quarantine/store/place.ts';
import type { QuarantinedRecord } from '../../../quarantine/trail/record.ts';
import { printableJson, printableText } from '../../../report/printable.ts';
import { bytesForPeople } from '../../../report/units.ts';
import type { Arguments } from '../../arguments.ts';
import { todaysDecisions } from '../../decisions.ts';
import { hasState, atDesk, refuseOperands, sinceOf } from './desk.ts';
import { outputFilter } from './filter.ts';

/** An output in quarantine, or a denial of something that is not there, as it is listed. */
interface Listed {
  /** Null for a denial of what is not in quarantine. */
  readonly id: string | null;
  readonly at: string;
  readonly storePath: string | null;
  readonly narHash: string | null;
  readonly verdict: QuarantinedRecord['verdict'] | null;
  readonly rules: readonly string[];
  readonly gaps: readonly string[];
  readonly homes: readonly string[];
  /** Bytes of the kept NAR; null where it is not kept, or no more. */
  readonly kept: number | null;
  readonly decision: 'denied' | 'released' | null;
  readonly decided: Decided | null;
}

/** What of a decision is listed. */
interface Decided {
  /** Number of its record, for `quarantine lift`. */
  readonly record: number;
  readonly at: string;
  readonly actor: string;
  readonly reason: string;
  readonly expires: string | null;
}

/** Decisions on one output, for a line and for JSON. */
type Standing = Pick<Listed, 'decision' | 'decided'> & { readonly text: string | null };

/** In the place of an id. */
const NO_ID = '-'.padEnd(16);

const UNDECIDED: Standing = { decision: null, decided: null, text: null };

/**
 * `quarantine list`: one line an output, then one for each other denial; or JSON documents.
 * @throws NarScanError STATE_*, AUDIT_*
 */
export async function listQuarantine(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  write: (text: string) => void,
): Promise<void> {
  refuseOperands(said);
  if (!hasState(environment)) return;
  const fits = outputFilter(said);
  const json = said.has('json');
  await atDesk(said, environment, async ({ log }) => {
    using decisions = await todaysDecisions(environment);
    const now = new Date();
    const since = sinceOf(said.last('since'), now);
    const told = new Set<string>();
    const tell = (listed: Omit<Listed, 'decision' | 'decided'>, { text, ...standing }: Standing): void =>
      write(json ? `${printableJson({ ...listed, ...standing })}\n` : lineOf(listed, text));
    for (const record of log.outputs(since)) {
      if (!fits(record)) continue;
      const denial = decisions.denial(record.storePath, record.narHash);
      if (denial !== null) told.add(keyOf(denial));
      tell(listedOf(record, log), denial === null ? releaseOn(record, decisions, now) : denied(denial));
    }
    for (const denial of decisions.denials()) {
      if (denial.at < since || told.has(keyOf(denial)) || !fits(unlisted(denial))) continue;
      tell(unlisted(denial), denied(denial));
    }
  });
}

function listedOf(record: QuarantinedRecord, log: AuditLog): Omit<Listed, 'decision' | 'decided'> {
  const { id, at, storePath, narHash, verdict, rules, gaps, homes } = record;
  const kept = keptBytes(quarantineDir(log.directory), id);
  return { id, at, storePath, narHash, verdict, rules, gaps, homes, kept };
}

/** A denial of something that is in no list of outputs. */
function unlisted({ at, storePath, hashPart, narHash }: Denial): Omit<Listed, 'decision' | 'decided'> {
  const nothing = { id: null, verdict: null, rules: [], gaps: [], homes: [], kept: null };
  return { ...nothing, at: new Date(at).toISOString(), storePath: storePath ?? hashPart, narHash };
}

function keyOf({ at, sequence }: Denial): string {
  return `${at} ${sequence}`;
}

function denied(denial: Denial): Standing {
  return { decision: 'denied', decided: { ...decidedOf(denial), expires: null }, text: deniedText(denial) };
}

function releaseOn(
  { storePath, narHash, blocking }: QuarantinedRecord,
  decisions: Decisions,
  now: Date,
): Standing {
  const release = narHash === null ? null : decisions.release(storePath, narHash, blocking, now);
  if (release === null) return UNDECIDED;
  const expires = release.expires === null ? null : new Date(release.expires).toISOString();
  const decided = { ...decidedOf(release), expires };
  return { decision: 'released', decided, text: releasedText(release) };
}

function decidedOf({ sequence, at, actor, reason }: Denial | Release): Omit<Decided, 'expires'> {
  return { record: sequence, at: new Date(at).toISOString(), actor, reason };
}

function lineOf(
  { id, at, storePath, narHash, verdict, rules, gaps, kept }: Omit<Listed, 'decision' | 'decided'>,
  decision: string | null,
): string {
  const what = printableText(storePath ?? narHash ?? '');
  if (id === null) return `${NO_ID}  ${at.slice(0, 10)}  ${what}  (${decision})\n`;
  const why = [...rules, ...gaps].join(',');
  const held = kept === null ? 'not kept' : `kept ${bytesForPeople(kept)}`;
  const parts = [decision ?? verdict, why, held].join('; ');
  return `${id}  ${at.slice(0, 10)}  ${what}  (${parts})\n`;
}
