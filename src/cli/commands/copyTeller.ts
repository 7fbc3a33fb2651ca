import { deliveryLine, dryRunLine, keptLines, refusalLine } from '../../guard/copy/lines.ts';
import type { Selection } from '../../guard/copy/selection.ts';
import type { GateAnswer } from '../../guard/gate.ts';
import type { ReportError } from '../../model/report.ts';
import type { VerdictPolicy } from '../../policy/policy.ts';
import { humanReporter } from '../../report/human.ts';
import { loadDigest } from '../../report/ids.ts';
import { printableText } from '../../report/printable.ts';
import type { ReportOrigin } from '../../report/reporter.ts';
import { columnsOf, STDOUT_DESCRIPTOR, wantsColor } from '../terminal.ts';
import type { CopyInvocation } from './copyInvocation.ts';

/**
 * What became of a path: it may not leave; it may, and was there before, has arrived, would be sent, or was
 * not sent; or the transfer ended while it was being sent (Nix failed or was ended, or the destination refused a
 * path), and nobody knows.
 */
export type CopyOutcome = 'kept' | 'there' | 'sent' | 'would-send' | 'unsent' | 'unknown';

/** What the gate said of a closure that is to be copied. */
export interface CopyJudgement {
  /** Store paths that were named. */
  readonly named: readonly string[];
  readonly answer: GateAnswer;
  readonly selection: Selection;
  /** Nothing is sent, for something may not leave. */
  readonly refused: boolean;
}

/** How it ended. */
export interface CopyEnd {
  readonly errors: readonly ReportError[];
  /** What ended the transfer is told by whoever threw it. */
  readonly failed: boolean;
  readonly status: number;
}

/** Tells on stdout what copy does. */
export interface CopyTeller {
  /** What stays and why, before it is recorded. */
  judged(judgement: CopyJudgement): Promise<void>;
  /** To be told of each path of the closure once. */
  became(outcome: CopyOutcome, storePaths: readonly string[]): void;
  end(end: CopyEnd): Promise<void>;
}

/** What tellers work with. */
export interface CopyTelling {
  readonly invocation: CopyInvocation;
  readonly policy: VerdictPolicy;
  readonly origin: () => Promise<ReportOrigin>;
  readonly print: (text: string) => void;
}

/** The teller for the format that was asked for. */
export async function copyTeller(telling: CopyTelling): Promise<CopyTeller> {
  if (telling.invocation.format === 'human') return new HumanTeller(telling);
  const { JsonTeller } = await import('./copyJson.ts');
  return new JsonTeller(telling);
}

class HumanTeller implements CopyTeller {
  readonly #telling: CopyTelling;
  #judgement: CopyJudgement | null = null;
  readonly #counts = new Map<CopyOutcome, number>();

  constructor(telling: CopyTelling) {
    this.#telling = telling;
  }

  async judged(judgement: CopyJudgement): Promise<void> {
    this.#judgement = judgement;
    const { invocation, policy, print } = this.#telling;
    const { verbose, color, dryRun } = invocation;
    const { selection } = judgement;
    // without one no record is named: there is none
    const digest = dryRun ? null : await loadDigest();
    for (const line of keptLines(selection, policy, verbose, digest)) print(`${line}\n`);
    if (!verbose) return;
    const options = { color: wantsColor(color, process.env), columns: columnsOf(STDOUT_DESCRIPTOR) };
    const reporter = humanReporter({ ...options, quiet: false, verbose });
    for (const { standing } of selection.blocking) {
      if (standing.result !== null) print(reporter.output(standing.result));
    }
  }

  became(outcome: CopyOutcome, storePaths: readonly string[]): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + storePaths.length);
    if (outcome !== 'would-send') return;
    this.#telling.print(storePaths.map((path) => `${printableText(path)}\n`).join(''));
  }

  async end({ failed }: CopyEnd): Promise<void> {
    if (this.#judgement === null || failed) return;
    const { invocation, print } = this.#telling;
    const { dryRun, quiet, to } = invocation;
    const { selection, refused } = this.#judgement;
    if (refused) print(`${refusalLine(selection, dryRun ? 'would be sent' : 'sent')}\n`);
    else if (dryRun) print(`${dryRunLine(selection, to.shown)}\n`);
    else if (!quiet) {
      const [sent = 0, there = 0] = [this.#counts.get('sent'), this.#counts.get('there')];
      print(`${deliveryLine(selection, { to: to.shown, sent, there })}\n`);
    }
  }
}
