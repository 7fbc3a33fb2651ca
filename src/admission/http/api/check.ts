import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { decisionOf } from '../../../guard/gateDocument.ts';
import { NarScanError } from '../../../model/errors.ts';
import type { OutputFacts } from '../../../model/facts.ts';
import { type SecretKey, signText } from '../../../nix/signature.ts';
import { parsePathInStore } from '../../../nix/storePath.ts';
import { verdictOfRun } from '../../../policy/verdict.ts';
import { type Digest, loadDigest } from '../../../report/ids.ts';
import { jsonReporter } from '../../../report/json.ts';
import { printableJson } from '../../../report/printable.ts';
import type { ReportOrigin } from '../../../report/reporter.ts';
import type { Caller, Ruling } from '../../contracts.ts';
import type { DiskRoom } from '../../diskRoom.ts';
import type { Inspector } from '../../inspector.ts';
import { deleteFile } from '../../intake/deleteFile.ts';
import { Growth } from '../../intake/growth.ts';
import type { SpoolDirectory } from '../../intake/spool.ts';
import type { Judge } from '../../judge.ts';
import { bodyOf } from '../requestBody.ts';

/** What a check works with. */
export interface CheckParts {
  readonly inspector: Pick<Inspector, 'stream' | 'rules'>;
  readonly judge: Pick<Judge, 'rule'>;
  readonly spool: Pick<SpoolDirectory, 'receive'>;
  /** Of the spool. */
  readonly room: DiskRoom;
  /** The logical store dir of the server. */
  readonly storeDir: string;
  /** Signs verdicts; never narinfos. */
  readonly verdictKey: SecretKey;
  readonly tool: ReportOrigin['tool'];
  /** Bytes that are taken at most. */
  readonly most: number;
}

/** What was found, as it is sent. */
export interface CheckAnswer {
  readonly signature: string;
  /** A JSON document, in pieces: it may be longer than the longest string. */
  readonly pieces: readonly string[];
}

const SCHEMA = 'nar-scan/check-v1';

/** The worst first. */
const STANDINGS = ['denied', 'contaminated', 'held', 'incomplete', 'released', 'clean'] as const;

interface Checked {
  readonly facts: OutputFacts & { readonly narSize: number };
  readonly ruling: Ruling;
}

/**
 * Searches a NAR or an export stream as an upload would be, and keeps nothing of it. What was found is said of its
 * NarHash: who asks must publish nothing else.
 *
 * @throws NarScanError EXPORT_BAD_PATH, and as the spool, the inspector and the judge do: nothing is said of what did not
 *   come as a whole
 */
export async function check(
  request: IncomingMessage,
  caller: Caller,
  parts: CheckParts,
): Promise<CheckAnswer> {
  const { inspector, judge, tool, verdictKey } = parts;
  // more may be searched for from now on: that is not said of this search
  const rules = await inspector.rules(caller.homes);
  const outputs = await searched(request, caller, parts);
  const checked: Checked[] = [];
  for (const facts of outputs) {
    refuseStrange(facts.storePath, parts.storeDir);
    // nobody will tell more of its references than it says itself
    const subject = { storePath: facts.storePath, narHash: facts.narHash, references: 'weighed' as const };
    checked.push({ facts, ruling: await judge.rule(facts, subject, caller) });
    // a stream may have very many outputs, and others are to be answered meanwhile
    await setImmediate();
  }
  const said = { verdict: worstOf(checked), rules, at: new Date().toISOString() };
  const statement = checkStatement(said, checked);
  const signature = signText(verdictKey, statement);
  const head = {
    schema: SCHEMA,
    ...said,
    outputs: checked.map(recordOf),
    statement,
    signature,
    publicKey: verdictKey.publicText,
  };
  const report = reportPieces(checked, { tool, rules }, await loadDigest());
  return { signature, pieces: [`${printableJson(head).slice(0, -1)},\n"report":`, ...report, '}\n'] };
}

async function searched(
  request: IncomingMessage,
  { homes }: Caller,
  { inspector, spool, room, most }: CheckParts,
): Promise<readonly (OutputFacts & { readonly narSize: number })[]> {
  const growth = new Growth();
  const body = bodyOf(request);
  if (!(await room.has(body.length ?? 0)))
    throw new NarScanError('UPLOAD_NO_ROOM', 'there is no room for it');
  using held = new DisposableStack();
  held.use(room.announce(body.length, growth));
  const receiving = await spool.receive(body, { most, growth });
  try {
    const inspecting = inspector.stream(receiving.file, homes, growth);
    // a body that breaks off is told first
    inspecting.catch(() => undefined);
    await receiving.whole;
    return await inspecting;
  } finally {
    await deleteFile(receiving.file);
  }
}

/** What is called otherwise than a store path could say more of itself in the statement than was found. */
function refuseStrange(storePath: string | null, storeDir: string): void {
  if (storePath === null || parsePathInStore(storeDir, storePath)?.inside === '') return;
  throw new NarScanError('EXPORT_BAD_PATH', `'${storePath.slice(0, 200)}' is no store path in ${storeDir}`);
}

/** Of nothing at all: incomplete. */
function worstOf(checked: readonly Checked[]): Ruling['standing'] {
  const seen = new Set(checked.map(({ ruling }) => ruling.standing));
  return STANDINGS.find((standing) => seen.has(standing)) ?? 'incomplete';
}

/**
 * What is signed: `nar-scan-check-1`, verdict, rules and time, then store path, NarHash, NarSize and standing of each
 * output ('' for what nobody knows), with semicolons between them.
 */
function checkStatement(
  { verdict, rules, at }: { readonly verdict: string; readonly rules: string; readonly at: string },
  checked: readonly Checked[],
): string {
  const each = checked.flatMap(({ facts, ruling }) => [
    facts.storePath ?? '',
    facts.narHash ?? '',
    facts.narSize,
    ruling.standing,
  ]);
  return ['nar-scan-check-1', verdict, rules, at, ...each].join(';');
}

function recordOf({ facts, ruling }: Checked): object {
  const { storePath, narHash, narSize } = facts;
  const { standing, blocking, decision } = ruling;
  return { storePath, narHash, narSize, standing, blocking, decision: decisionOf(decision) };
}

function reportPieces(checked: readonly Checked[], origin: ReportOrigin, digest: Digest): readonly string[] {
  const reporter = jsonReporter(origin, digest);
  const results = checked.map(({ ruling }) => ruling.result);
  const verdict = verdictOfRun(
    results.map((result) => result.verdict),
    0,
  );
  const outputs = results.map((result) => reporter.output(result));
  return [
    reporter.begin(),
    ...outputs,
    ...reporter.end({ verdict, errors: [], unusedWaivers: [], milliseconds: 0 }),
  ];
}
