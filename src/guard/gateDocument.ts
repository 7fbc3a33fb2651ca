import { NarScanError } from '../model/errors.ts';
import { type ReportError, reportError } from '../model/report.ts';
import type { VerdictPolicy } from '../policy/policy.ts';
import { deniedText } from '../quarantine/decisionText.ts';
import type { Digest } from '../report/ids.ts';
import { jsonReporter } from '../report/json.ts';
import { printableJson } from '../report/printable.ts';
import type { ReportOrigin } from '../report/reporter.ts';
import type { GateAnswer } from './gate.ts';
import { reasonOf } from './hook/lines.ts';
import { reportOf } from './hook/reportTexts.ts';
import { isFree, type PathStanding } from './standing.ts';

/** Name of the format; it changes when a reader of the old one could be misled. */
const SCHEMA = 'nar-scan/gate-v1';

/** What is told besides, such as where to. */
export type GateHead = Readonly<Record<string, string | boolean | number>>;

/** What a gate said of all that it was asked. */
export interface GateEvent {
  readonly head: GateHead;
  readonly answer: Pick<GateAnswer, 'standings' | 'graph'>;
  readonly errors: readonly ReportError[];
  readonly origin: ReportOrigin;
}

/** A path that is told of. */
export interface PathTold {
  readonly storePath: string;
  /** Whether it was named, and is not only referred to. */
  readonly named: boolean;
  /** What became of it. */
  readonly outcome: string;
}

/**
 * What a gate said as one JSON document: `paths`, each with its standing and what keeps it here; `blocking`, what
 * may not leave by itself, with all that it keeps here; and `report`, what was found in that, as report-v1. The fields
 * are those of `gate.schema.json`.
 */
export function gateDocument(
  event: GateEvent,
  paths: readonly PathTold[],
  policy: VerdictPolicy,
  digest: Digest,
): string {
  const records = paths.map((path) => pathRecord(path, event.answer));
  return documentOf({ schema: SCHEMA, ...event.head, paths: records }, event, policy, digest);
}

/** One element of `paths` as a line of its own, of which {@link gateEndLine} is the last. */
export function gatePathLine(head: GateHead, path: PathTold, answer: GateEvent['answer']): string {
  return `${printableJson({ schema: SCHEMA, ...head, ...pathRecord(path, answer) })}\n`;
}

/** {@link gateDocument} without its paths, as one line. */
export function gateEndLine(event: GateEvent, policy: VerdictPolicy, digest: Digest): string {
  const text = documentOf({ schema: SCHEMA, ...event.head }, event, policy, digest);
  // between its elements the report has line feeds, and none in its strings
  return `${text.replaceAll('\n', '')}\n`;
}

function documentOf(
  head: object,
  { answer: { standings, graph }, errors, origin }: GateEvent,
  policy: VerdictPolicy,
  digest: Digest,
): string {
  const blocked = [...standings.values()].filter(({ standing }) => !isFree(standing));
  const blocking = blocked.map((known) => ({
    storePath: known.storePath,
    standing: known.standing,
    narHash: known.narHash,
    reason: reasonOf(known, policy),
    ids: known.blocking,
    denial: decisionOf(known.denial),
    dependents: graph.dependentsOf(known.storePath),
  }));
  const met = [...errors, ...blocked.flatMap(denialError)];
  const results = blocked.flatMap(({ result }) => (result === null ? [] : [result]));
  const isNothing = blocked.length === 0 && errors.length === 0;
  const report = isNothing ? 'null' : reportOf(jsonReporter(origin, digest), results, { errors: met });
  const text = printableJson({ ...head, blocking });
  return `${text.slice(0, -1)},\n"report":${report.trimEnd()}}\n`;
}

function pathRecord(
  { storePath, named, outcome }: PathTold,
  { standings, graph }: GateEvent['answer'],
): object {
  const known = standings.get(storePath);
  return {
    storePath,
    named,
    outcome,
    standing: known?.standing ?? null,
    narHash: known?.narHash ?? null,
    mayLeave: graph.mayLeave(storePath),
    blockers: graph.blockersOf(storePath),
    release: decisionOf(known?.release ?? null),
  };
}

/** What a person denied may be clean by what was found in it: the report on it is not. */
function denialError({ storePath, denial }: PathStanding): readonly ReportError[] {
  if (denial === null) return [];
  const message = `'${storePath}' is ${deniedText(denial, String)}`;
  return [reportError(new NarScanError('PATH_DENIED', message), storePath)];
}

/** A decision of a person by the number of its record in the audit trail. */
export function decisionOf(
  decision: { readonly sequence: number; readonly actor: string; readonly reason: string } | null,
): object | null {
  if (decision === null) return null;
  return { record: decision.sequence, by: decision.actor, reason: decision.reason };
}
