import type { OutputFacts } from '../model/facts.ts';
import type { ReportError } from '../model/report.ts';
import { dependsOnOrigin } from '../policy/decide.ts';
import type { ScanSink } from '../scan/run.ts';
import { type Crew, type ScanRequest, scanTargets } from '../scan/scan.ts';
import type { Closure } from './closure.ts';
import { ClosureGraph } from './closureGraph.ts';
import { isFree, type Judgement, type PathStanding, standingOf } from './standing.ts';

/** What is asked of the gate. */
export interface GateRequest extends Judgement {
  /** The store paths in question with all that they refer to. */
  readonly closure: Closure;
  /** How they are scanned, and what is remembered of them. */
  readonly scan: Omit<ScanRequest, 'targets'>;
  /** Who scans what is not remembered. */
  readonly crew: Crew;
  /** Told how far it is. */
  readonly progress: ScanSink['progress'];
}

/** What the gate says. */
export interface GateAnswer {
  /** Of every path of the closure. */
  readonly standings: ReadonlyMap<string, PathStanding>;
  readonly graph: ClosureGraph;
  /** What went wrong; paths that it concerns may not leave, and if it concerns none, no path may. */
  readonly errors: readonly ReportError[];
}

/**
 * The standing of every path of a closure: its facts, remembered or found now, under today's policy and
 * decisions; and which paths may leave.
 *
 * @param signal ends the scan: what was not scanned by then is incomplete
 * @throws NarScanError as `scanTargets`, and where decisions cannot be read
 */
export async function askGate(request: GateRequest, signal: AbortSignal): Promise<GateAnswer> {
  const { closure } = request;
  const facts = new Map<string, OutputFacts>();
  const errors: ReportError[] = [];
  await scanTargets(
    {
      ...request.scan,
      targets: [],
      valid: closure.values(),
      // whoever waits for a build or an upload waits for no source that changes nothing
      originMatters: (finding) => dependsOnOrigin(finding, request.policy),
    },
    request.crew,
    {
      output: async (output) => {
        if (output.storePath !== null) facts.set(output.storePath, output);
      },
      error: (error) => errors.push(error),
      progress: request.progress,
    },
    signal,
  );
  request.decisions.refresh();
  const broken = new Set(errors.map(({ target }) => target));
  const standings = new Map<string, PathStanding>();
  for (const [storePath, info] of closure) {
    const isBroken = broken.has(null) || broken.has(storePath);
    standings.set(storePath, standingOf(info, facts.get(storePath) ?? null, isBroken, request));
  }
  const blocking = [...standings.values()].filter(({ standing }) => !isFree(standing));
  const references = new Map([...closure].map(([path, info]) => [path, info.references]));
  const graph = new ClosureGraph(
    references,
    blocking.map(({ storePath }) => storePath),
  );
  return { standings, graph, errors };
}
