import type { ReportError } from '../model/report.ts';
import type { VerdictPolicy } from '../policy/policy.ts';
import type { Digest } from '../report/ids.ts';
import { jsonReporter } from '../report/json.ts';
import { printableJson } from '../report/printable.ts';
import type { ReportOrigin } from '../report/reporter.ts';
import type { GateAnswer } from './gate.ts';
import { reasonOf } from './hook/lines.ts';
import { reportOf } from './hook/reportTexts.ts';
import { isFree } from './standing.ts';

/** Name of the format; it changes when a reader of the old one could be misled. */
const SCHEMA = 'nar-scan/gate-v1';

/** What a gate was asked, and what came of it. */
export interface GateEvent<Outcome extends string = string> {
  /** What is told besides, such as where to. */
  readonly head: Readonly<Record<string, string | boolean>>;
  /** Paths that were named. */
  readonly named: readonly string[];
  /** The paths that are told of, and what became of each. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly answer: Pick<GateAnswer, 'standings' | 'graph'>;
  readonly errors: readonly ReportError[];
  readonly origin: ReportOrigin;
}

/**
 * What a gate said as one JSON document: `paths`, each with its standing and what keeps it here; `blocking`, what
 * may not leave by itself, with all that it keeps here; and `report`, what was found in that, as report-v1.
 */
export function gateDocument(
  { head, named, outcomes, answer: { standings, graph }, errors, origin }: GateEvent,
  policy: VerdictPolicy,
  digest: Digest,
): string {
  const paths = [...outcomes].map(([storePath, outcome]) => {
    const known = standings.get(storePath);
    return {
      storePath,
      named: named.includes(storePath),
      outcome,
      standing: known?.standing ?? null,
      narHash: known?.narHash ?? null,
      mayLeave: graph.mayLeave(storePath),
      blockers: graph.blockersOf(storePath),
      release: decisionOf(known?.release ?? null),
    };
  });
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
  const results = blocked.flatMap(({ result }) => (result === null ? [] : [result]));
  const report = reportOf(jsonReporter(origin, digest), results, { errors });
  const text = printableJson({ schema: SCHEMA, ...head, paths, blocking });
  return `${text.slice(0, -1)},\n"report":${report.trimEnd()}}\n`;
}

/** A decision of a person by the number of its record in the audit trail. */
function decisionOf(
  decision: { readonly sequence: number; readonly actor: string; readonly reason: string } | null,
): object | null {
  if (decision === null) return null;
  return { record: decision.sequence, by: decision.actor, reason: decision.reason };
}
