import { clock } from '../model/clock.ts';
import type { Verdict } from '../model/facts.ts';
import { NarScanError } from '../model/errors.ts';
import { type OutputResult, type ReportError, reportError } from '../model/report.ts';
import { verdictOfRun } from '../policy/verdict.ts';
import { humanReporter } from '../report/human.ts';
import { loadDigest } from '../report/ids.ts';
import { jsonLinesReporter, jsonReporter } from '../report/json.ts';
import { printableText } from '../report/printable.ts';
import { printCleanReporter } from '../report/printClean.ts';
import type { Reporter, ReportOrigin } from '../report/reporter.ts';
import { commandLike } from './commands.ts';
import { errorLine, writeDiagnostic } from './diagnostics.ts';
import { EXIT_ERROR, exitStatus } from './exitStatus.ts';
import type { Conclusion } from './judge.ts';
import { listenForInterruption } from './interruption.ts';
import { type Invocation, STDIN } from './invocation.ts';
import { type Progress, type ProgressLine, scanText, shownProgress } from './progress.ts';
import { openReportSink, type ReportSink } from './reportSink.ts';
import { columnsOf, DEFAULT_COLUMNS, isTerminal, STDOUT_DESCRIPTOR, wantsColor } from './terminal.ts';

/** What the engine tells while it scans. */
interface ScanEvents {
  /** One output is finished. Where a promise is returned, it resolves when the report has taken it. */
  output(result: OutputResult): Promise<void>;
  error(error: ReportError): void;
  /** Something that costs time and changes no verdict. */
  warning(error: ReportError): void;
  progress(progress: Progress): void;
}

/** The engine, as this command drives it. */
export interface Engine {
  /** Chooses the kernel and fixes the rules. */
  origin(invocation: Invocation): Promise<Pick<ReportOrigin, 'rules'> & { readonly kernel: string }>;
  /** Resolves when everything is scanned, or soon after the signal. */
  scan(invocation: Invocation, events: ScanEvents, signal: AbortSignal): Promise<void>;
  /**
   * What the policy has to say when all is scanned; keeps what was to be kept of the run.
   * @param errors how many the run met
   */
  conclude(errors: number): Conclusion;
}

const STDIN_DESCRIPTOR = 0;

/**
 * Scans and reports.
 * @param version of this program
 * @returns the exit status
 */
export async function runScan(invocation: Invocation, engine: Engine, version: string): Promise<number> {
  const started = clock();
  const controller = new AbortController();
  const sink = openReportSink(invocation.output, (fault) => controller.abort(fault));
  const stopListening = listenForInterruption(controller, () => sink.abandon());
  const removeAside = (): void => sink.abandon();
  process.once('exit', removeAside);
  try {
    const run = new Run(invocation, sink, await reporterFor(invocation, engine, version));
    await run.scan(engine, controller.signal);
    return await run.end(engine, clock() - started);
  } catch (error) {
    sink.abandon();
    throw error;
  } finally {
    process.off('exit', removeAside);
    stopListening();
  }
}

/** One run: gathers what the engine tells, and hands the report on. */
class Run {
  readonly #invocation: Invocation;
  readonly #sink: ReportSink;
  readonly #reporter: Reporter;
  readonly #blocked: Reporter | null;
  readonly #progress: ProgressLine<Progress>;
  readonly #errors: ReportError[] = [];
  readonly #verdicts = new Set<Verdict>();

  constructor(invocation: Invocation, sink: ReportSink, reporter: Reporter) {
    this.#invocation = invocation;
    this.#sink = sink;
    this.#reporter = reporter;
    this.#progress = shownProgress(invocation.quiet, scanText);
    // A pipe of clean paths still wants to know what it did not get, beside the pipe.
    this.#blocked = invocation.format === 'print-clean' && !invocation.quiet ? quietReporter() : null;
  }

  async scan(engine: Engine, signal: AbortSignal): Promise<void> {
    void this.#sink.write(this.#reporter.begin());
    if (this.#invocation.targets.includes(STDIN) && isTerminal(STDIN_DESCRIPTOR)) {
      this.#error(reportError(new NarScanError('USAGE_NO_TARGET', 'stdin is a terminal, not a NAR'), STDIN));
      return;
    }
    const events: ScanEvents = {
      output: (result) => this.#output(result),
      error: (error) => this.#error(error),
      warning: (error) => this.#tell(error),
      progress: (progress) => this.#progress.update(progress),
    };
    try {
      await engine.scan(this.#invocation, events, signal);
    } catch (error) {
      if (error !== signal.reason) this.#error(reportError(error, null));
    }
    if (signal.aborted) {
      this.#interrupted(signal.reason);
    } else if (this.#verdicts.size === 0 && this.#errors.length === 0) {
      this.#error(reportError(new NarScanError('NO_OUTPUTS', 'there was no output to scan'), null));
    }
  }

  async end(engine: Engine, milliseconds: number): Promise<number> {
    this.#progress.clear();
    const { unusedWaivers, errors, remarks } = engine.conclude(this.#errors.length);
    for (const error of errors) this.#error(error);
    for (const remark of remarks) writeDiagnostic(`nar-scan: ${printableText(remark)}\n`);
    const verdict = verdictOfRun(this.#verdicts, this.#errors.length);
    for (const piece of this.#reporter.end({ verdict, errors: this.#errors, unusedWaivers, milliseconds })) {
      await this.#sink.write(piece);
    }
    try {
      await this.#sink.finish();
    } catch (error) {
      // A report that did not arrive is worse than any verdict: nobody can act on it.
      writeDiagnostic(errorLine(reportError(error, null)));
      return EXIT_ERROR;
    }
    return exitStatus(verdict, this.#errors.length);
  }

  #output(result: OutputResult): Promise<void> {
    this.#verdicts.add(result.verdict);
    this.#progress.clear();
    if (this.#blocked !== null && result.verdict !== 'clean') writeDiagnostic(this.#blocked.output(result));
    return this.#sink.write(this.#reporter.output(result));
  }

  /** A write fault is told once, by the end of the run. */
  #interrupted(reason: unknown): void {
    const told = this.#errors.some(({ code }) => code === 'INTERRUPTED');
    if (reason instanceof NarScanError && reason.code === 'INTERRUPTED' && !told) {
      this.#error(reportError(reason, null));
    }
  }

  #error(met: ReportError): void {
    const error = withCommandMeant(met);
    this.#errors.push(error);
    this.#tell(error);
  }

  #tell(error: ReportError): void {
    this.#progress.clear();
    writeDiagnostic(errorLine(error));
  }
}

/** A target that is not there, and whose name is nearly that of a command, may be one behind its options. */
function withCommandMeant(error: ReportError): ReportError {
  const meant = error.code === 'TARGET_MISSING' ? commandLike(error.target ?? '') : null;
  if (meant === null) return error;
  return { ...error, hint: `${error.hint}; if the command ${meant} is meant: it comes before its options` };
}

async function reporterFor(invocation: Invocation, engine: Engine, version: string): Promise<Reporter> {
  const { format, output, quiet, verbose, strict } = invocation;
  if (format === 'print-clean') return printCleanReporter();
  if (format === 'human') {
    const columns = output === null ? columnsOf(STDOUT_DESCRIPTOR) : DEFAULT_COLUMNS;
    const plain = output !== null && invocation.color === 'auto';
    const color = !plain && wantsColor(invocation.color, process.env);
    return humanReporter({ color, columns, quiet, verbose });
  }
  const { kernel, rules } = await engine.origin(invocation);
  const origin: ReportOrigin = { tool: { name: 'nar-scan', version, kernel }, rules };
  const digest = await loadDigest();
  if (format === 'sarif') {
    const { sarifReporter } = await import('../report/sarif/sarif.ts');
    return sarifReporter(origin, digest, { strict });
  }
  return format === 'json' ? jsonReporter(origin, digest) : jsonLinesReporter(origin, digest);
}

function quietReporter(): Reporter {
  return humanReporter({ color: false, columns: DEFAULT_COLUMNS, quiet: true, verbose: false });
}
