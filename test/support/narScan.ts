import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
/** The launcher, as users start it. It runs what `npm run build` made of src. */
export const NAR_SCAN = join(ROOT, 'bin/nar-scan');

/** What a report says of one finding (`nar-scan/report-v1`). */
export interface ReportedFinding {
  readonly id: string;
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly carrier: string;
  readonly encoding: string;
  readonly home: string | null;
  readonly alias: string | null;
  readonly location: {
    readonly entry: string;
    readonly entryBytes?: string;
    readonly container: readonly string[];
    readonly offset: number | null;
    readonly outerOffset: number | null;
    readonly section: string | null;
    readonly field: string | null;
  };
  readonly evidence: string;
  readonly origin?: 'source';
  readonly source?: string;
}

interface ReportedGap {
  readonly reason: string;
  readonly location: ReportedFinding['location'];
  readonly detail: string;
}

export interface ReportedOutput {
  readonly target: string;
  readonly storePath: string | null;
  readonly narHash: string | null;
  readonly verdict: 'clean' | 'contaminated' | 'incomplete';
  readonly findings: readonly ReportedFinding[];
  readonly gaps: readonly ReportedGap[];
  readonly stats: { readonly entries: number; readonly files: number; readonly bytes: number };
}

export interface Report {
  readonly verdict: 'clean' | 'contaminated' | 'incomplete';
  readonly errors: readonly { code: string; target: string | null; message: string; hint: string }[];
  readonly outputs: readonly ReportedOutput[];
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly stdin?: Uint8Array;
  readonly cwd?: string;
  /** Replaces the environment, of which only PATH is kept otherwise; {@link STATE} is added. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Where the state of what tests start lies: never where that of users does. */
export const STATE = { NAR_SCAN_STATE: process.env['NAR_SCAN_STATE'] };

/**
 * Starts nar-scan and waits for its end. Nothing of the tests' own environment but PATH and where state
 * lies reaches it.
 */
export function narScan(args: readonly string[], options: RunOptions = {}): Run {
  const run = spawnSync(NAR_SCAN, args, {
    input: options.stdin ?? Buffer.alloc(0),
    cwd: options.cwd ?? ROOT,
    env: { ...STATE, ...(options.env ?? { PATH: process.env['PATH'] }) },
    maxBuffer: 1024 * 1024 * 1024,
    timeout: 120_000,
  });
  if (run.error !== undefined) throw run.error;
  return { status: run.status, stdout: run.stdout.toString(), stderr: run.stderr.toString() };
}

/** A run whose report is JSON. */
export function narScanReport(args: readonly string[], options: RunOptions = {}): Run & { report: Report } {
  const run = narScan([...args, '--format', 'json'], options);
  try {
    return { ...run, report: JSON.parse(run.stdout) as Report };
  } catch (error) {
    throw new Error(`no report: status ${run.status}: ${run.stderr}\n${run.stdout.slice(0, 500)}`, {
      cause: error,
    });
  }
}

/** The one output of a report. */
export function onlyOutput(report: Report): ReportedOutput {
  const [output, ...others] = report.outputs;
  if (output === undefined || others.length > 0) {
    throw new Error(`expected one output, got ${report.outputs.length}: ${JSON.stringify(report.errors)}`);
  }
  return output;
}

/** What must be equal however an output was read: one line a finding, sorted. */
export function leakLines(output: ReportedOutput): readonly string[] {
  return output.findings
    .map(({ rule, severity, carrier, home, alias, location }) => {
      const { entry, offset, field } = location;
      return [entry, severity, rule, carrier, field, offset, home, alias]
        .map((part) => part ?? '-')
        .join(' ');
    })
    .toSorted();
}
