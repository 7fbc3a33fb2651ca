import { NarScanError } from '../../../model/errors.ts';
import { dayStart, spanOf } from '../../../model/when.ts';
import { parseContentName, parseNarHash } from '../../../nix/narHash.ts';
import type { AuditLog } from '../../../quarantine/audit.ts';
import type { Denial, Release } from '../../../quarantine/decision.ts';
import { deniedText, releasedText } from '../../../quarantine/decisionText.ts';
import {
  decisionOf,
  decisionsOn,
  denialOf,
  knownOutputAt,
  liftEvent,
  outputNamed,
  refuseOthers,
  releasing,
} from '../../../quarantine/judgement.ts';
import { type DecidedOn, onContent, onOutput, onPath, onTheSame } from '../../../quarantine/lifting.ts';
import type { QuarantinedRecord } from '../../../quarantine/trail/record.ts';
import { printableText } from '../../../report/printable.ts';
import { counted } from '../../../report/units.ts';
import type { Arguments } from '../../arguments.ts';
import { todaysDecisions } from '../../decisions.ts';
import { atDesk, isPath, onlyOperand, outputMeant, reasonOf, storePathMeant } from './desk.ts';

/**
 * `quarantine release`: lets outputs out in spite of exactly what they were quarantined for. A release for
 * the same with another reason or expiry takes the place of the one before.
 *
 * @throws NarScanError QUARANTINE_*, PATH_NOT_IN_STORE, TARGET_*, USAGE_*, STATE_*, AUDIT_*, POLICY_*
 */
export async function releaseQuarantined(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  if (said.targets.length === 0) throw new NarScanError('USAGE_MISSING_VALUE', `${said.command} needs ID`);
  const reason = reasonOf(said);
  const now = new Date();
  const expires = expiryOf(said.last('expires'), now);
  return await atDesk(said, environment, async (desk) => {
    using decisions = await todaysDecisions(environment);
    const outputs = new Map<string, QuarantinedRecord>();
    for (const named of said.targets) {
      const record = await outputMeant(desk, named, said, environment);
      if (isPath(named) && parseContentName(named) === null) refuseOthers(desk.log, decisions, record);
      outputs.set(record.id, record);
    }
    const plans = [...outputs.values()].map((record) => ({
      record,
      ...releasing(desk.log, decisions, record, reason, expires, now),
    }));
    const texts: string[] = [];
    for (const { record, events, same, replaced } of plans) {
      const shown = printableText(record.storePath);
      if (same !== null) {
        texts.push(`${shown} is ${releasedText(same)} already\n`);
        continue;
      }
      const records = await desk.log.append(...events);
      const until = expires === null ? '' : ` until ${expires.toISOString()}`;
      const instead = replaced.map((sequence) => `, instead of record ${sequence}`).join('');
      const number = records.at(-1)?.seq ?? 0;
      texts.push(
        `released ${shown}${until}, in spite of ${coveredBy(record)} (record ${number}${instead})\n`,
      );
    }
    return texts.join('');
  });
}

/** What a release of it covers, in words. */
function coveredBy({ blocking, rules, gaps }: QuarantinedRecord): string {
  if (gaps.length === 0) return counted(blocking.length, 'finding');
  if (rules.length === 0) return counted(blocking.length, 'gap');
  return `${blocking.length} findings and gaps`;
}

/**
 * `quarantine deny`: an output, a store path or a content that is never let out.
 * @throws as {@link releaseQuarantined}
 */
export async function denyOutput(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const named = onlyOperand(said, 'ID, STORE-PATH or sha256:HASH');
  const reason = reasonOf(said);
  return await atDesk(said, environment, async ({ log }) => {
    const isContent = (parseNarHash(named) ?? parseContentName(named)) !== null;
    const isStorePath = !isContent && isPath(named);
    const meant = isStorePath ? await storePathMeant(named, said, environment) : named;
    const [record] = await log.append(denialOf(log, meant, reason));
    return `denied ${printableText(meant)} (record ${record?.seq ?? 0})\n`;
  });
}

/**
 * `quarantine lift`: a denial or a release that counts no more, or all of an output, a store path or a content.
 * @throws NarScanError DECISION_UNKNOWN, and as {@link releaseQuarantined}
 */
export async function liftDecision(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const named = onlyOperand(said, 'NUMBER, ID, STORE-PATH or sha256:HASH');
  const reason = reasonOf(said);
  return await atDesk(said, environment, async ({ log }) => {
    const { lifted, isMeant } = await liftMeant(log, named, said, environment);
    if (lifted.length === 0) {
      throw new NarScanError('DECISION_UNKNOWN', `nothing that was decided on '${named}' counts`);
    }
    const records = await log.append(...lifted.map(({ sequence }) => liftEvent(sequence, reason)));
    const lines = lifted.map(
      (decision, at) => `lifted: ${decisionText(decision)} (by record ${records[at]?.seq ?? 0})\n`,
    );
    using decisions = await todaysDecisions(environment);
    const left = [...decisions.denials(), ...decisions.releases(new Date())].filter(isMeant);
    return [...lines, ...left.map((decision) => `still counts: ${decisionText(decision)}\n`)].join('');
  });
}

/** Numbers of records; an id of digits only is given in full. */
const RECORD_NUMBER = /^[0-9]{1,15}$/;

/** What is to be lifted, and what else of the same may count. */
async function liftMeant(
  log: AuditLog,
  named: string,
  said: Arguments,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly lifted: readonly (Denial | Release)[]; readonly isMeant: DecidedOn }> {
  if (RECORD_NUMBER.test(named)) {
    const decision = decisionOf(log, Number(named));
    return { lifted: [decision], isMeant: onTheSame(decision) };
  }
  const isMeant = await decidedOn(log, named, said, environment);
  return { lifted: decisionsOn(log, isMeant), isMeant };
}

async function decidedOn(
  log: AuditLog,
  named: string,
  said: Arguments,
  environment: NodeJS.ProcessEnv,
): Promise<DecidedOn> {
  const narHash = parseNarHash(named) ?? parseContentName(named);
  if (narHash !== null) return onContent(narHash);
  if (!isPath(named)) {
    const { storePath, narHash: own } = outputNamed(log, named).record;
    return onOutput(storePath, own);
  }
  const storePath = await storePathMeant(named, said, environment);
  // a denied path need not have been in quarantine
  return onPath(storePath, knownOutputAt(log, storePath)?.record.narHash ?? null);
}

function decisionText(decision: Denial | Release): string {
  const { storePath, narHash } = decision;
  const text = 'covers' in decision ? releasedText(decision) : deniedText(decision);
  return `${printableText(storePath ?? narHash ?? '')} ${text}`;
}

function expiryOf(text: string | null, now: Date): Date | null {
  if (text === null) return null;
  const span = spanOf(text);
  const expires = span === null ? dayStart(text) : new Date(now.getTime() + span);
  if (expires === null || expires <= now) {
    throw new NarScanError('USAGE_BAD_VALUE', `--expires: '${text}' is not in the future`);
  }
  return expires;
}
