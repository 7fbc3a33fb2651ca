import { join } from 'node:path';
import { isatty } from 'node:tty';
import { byteStringOfText } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Verdict } from '../../model/facts.ts';
import { reportError } from '../../model/report.ts';
import { findNix } from '../../nix/program.ts';
import type { Policy } from '../../policy/policy.ts';
import { humanReporter } from '../../report/human.ts';
import { type Digest, loadDigest } from '../../report/ids.ts';
import { printableText } from '../../report/printable.ts';
import { stateDirForWriting } from '../../ledger/stateDir.ts';
import { type Closure, closureOf } from '../../guard/closure.ts';
import { sendDirectly, sendStaged, type Transfer } from '../../guard/copy/copy.ts';
import { type Delivery, deliveryLine, dryRunLine, keptLines, refusalLine } from '../../guard/copy/lines.ts';
import { select, type Selection } from '../../guard/copy/selection.ts';
import { Staging } from '../../guard/copy/staging.ts';
import type { GateAnswer } from '../../guard/gate.ts';
import type { Arguments } from '../arguments.ts';
import { todaysDecisions } from '../decisions.ts';
import { tellError, writeDiagnostic } from '../diagnostics.ts';
import { exitStatus } from '../exitStatus.ts';
import { openGate, type OpenGate, storePathsOf } from '../gate.ts';
import { listenForInterruption } from '../interruption.ts';
import { loadPolicy } from '../policy/policyFile.ts';
import { openReportSink } from '../reportSink.ts';
import { noProgress, type Progress, progressLine } from '../progress.ts';
import { columnsOf, STDERR_DESCRIPTOR, STDOUT_DESCRIPTOR, wantsColor } from '../terminal.ts';
import { type CopyInvocation, copyInvocationOf } from './copyInvocation.ts';

/** Below the state directory. */
const STAGINGS = 'staging';

/** What one run of copy works with. */
interface Run {
  readonly invocation: CopyInvocation;
  readonly environment: NodeJS.ProcessEnv;
  readonly policy: Policy;
  readonly gate: OpenGate;
  readonly closure: Closure;
  readonly now: Date;
  readonly print: (text: string) => void;
}

/**
 * Sends store paths with their closures by `nix copy`, if all of it may leave; or what of it may.
 *
 * @param version of this program
 * @returns the exit status: 0 if all that was asked for was sent; else 1, or 3 where all that blocks is incomplete
 * @throws NarScanError where nothing was judged, or not all was sent
 */
export async function runCopy(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  version: string,
): Promise<number> {
  const invocation = copyInvocationOf(said, environment);
  if (!invocation.dryRun) findNix(environment);
  const now = new Date();
  const loaded = (await loadPolicy(invocation.policy, environment)).policy;
  const policy = { ...loaded, verdict: { ...loaded.verdict, strict: invocation.strict } };
  const controller = new AbortController();
  const { signal } = controller;
  const stdout = openReportSink(null, (error) => controller.abort(error));
  const print = (text: string): void => void stdout.write(text);
  using transfers = new DisposableStack();
  const stopListening = listenForInterruption(controller, () => transfers.dispose());
  try {
    using decisions = await todaysDecisions(environment);
    const isOver = (): boolean => signal.aborted;
    const shown =
      !invocation.quiet && isatty(STDERR_DESCRIPTOR)
        ? progressLine(writeDiagnostic, columnsOf(STDERR_DESCRIPTOR))
        : noProgress;
    const progress = (state: Progress): void => shown.update(state);
    const options = { surrounded: invocation, policy, environment, decisions, now, isOver, warn, progress };
    const [gate, roots] = await Promise.all([openGate(options), storePathsOf(invocation)]);
    const closure = closureOf(gate.stateDirs, roots);
    const run = { invocation, environment, policy, gate, closure, now, print };
    const answer = await gate.ask(closure, signal);
    shown.clear();
    signal.throwIfAborted();
    for (const error of answer.errors) tellError(error);
    const selection = select(closure, answer);
    const refused = selection.kept.length > 0 && (!invocation.skip || selection.free.length === 0);
    tellKept(run, selection, invocation.dryRun ? null : await loadDigest());
    if (selection.kept.length > 0 && !invocation.dryRun) await record(run, roots, answer, version);
    if (refused) print(`${refusalLine(selection, invocation.dryRun ? 'would be sent' : 'sent')}\n`);
    else if (invocation.dryRun) tellDryRun(run, selection);
    else tellDelivery(run, selection, await send(run, selection, answer, transfers, signal));
    await stdout.finish();
    return exitStatus(verdictOf(selection), answer.errors.length);
  } finally {
    // what was said before something failed is said
    await stdout.write('');
    stopListening();
  }
}

/** @param digest null where nothing is recorded */
function tellKept({ invocation, policy, print }: Run, selection: Selection, digest: Digest | null): void {
  const { verbose, color } = invocation;
  for (const line of keptLines(selection, policy.verdict, verbose, digest)) print(`${line}\n`);
  if (!verbose) return;
  const options = { color: wantsColor(color, process.env), columns: columnsOf(STDOUT_DESCRIPTOR) };
  const reporter = humanReporter({ ...options, quiet: false, verbose });
  for (const { standing } of selection.blocking) {
    if (standing.result !== null) print(reporter.output(standing.result));
  }
}

function tellDryRun({ invocation, print }: Run, selection: Selection): void {
  print(selection.free.map((path) => `${printableText(path)}\n`).join(''));
  print(`${dryRunLine(selection, invocation.to.shown)}\n`);
}

function tellDelivery({ invocation, print }: Run, selection: Selection, delivery: Delivery): void {
  if (!invocation.quiet) print(`${deliveryLine(selection, delivery)}\n`);
}

/** Writes down what stays, so that it can be looked at and released. */
async function record(
  { environment, policy, gate, closure, now }: Run,
  roots: readonly string[],
  answer: GateAnswer,
  version: string,
): Promise<void> {
  const [{ hookKeeper }, { rulingsOn }] = await Promise.all([
    import('../hook/keeper.ts'),
    import('../../guard/hook/ruling.ts'),
  ]);
  const rulings = rulingsOn(roots, answer, policy.gate.guard)
    .filter(({ storePath }) => !answer.graph.mayLeave(storePath))
    .map((ruling) => ({ ...ruling, fate: 'withhold' as const }));
  const origin = await gate.origin(version);
  const keeper = hookKeeper({ environment, policy, diskOf: gate.diskOf, now, warn });
  const { errors } = answer;
  await keeper.record({ name: 'copy', derivation: null, rulings, closure, errors, origin });
}

async function send(
  { invocation, environment, gate, closure }: Run,
  { free }: Selection,
  { standings }: GateAnswer,
  transfers: DisposableStack,
  signal: AbortSignal,
): Promise<Delivery> {
  const paths = free.map((storePath) => {
    const info = closure.get(storePath);
    const judged = standings.get(storePath)?.narHash ?? null;
    if (info === undefined || judged === null) {
      throw new NarScanError('TREE_NOT_SERIALISABLE', `'${storePath}' could not be hashed as a whole`);
    }
    return { path: byteStringOfText(gate.diskOf(storePath)), info, judged };
  });
  const { to, nixFlags: flags, storeDir, store = null, quiet, staged } = invocation;
  const transfer: Transfer = { paths, to, flags, storeDir, store, environment };
  const delivery = { to: to.shown, sent: 0, there: 0 };
  const say = (line: string): void => {
    if (!quiet) writeDiagnostic(`nar-scan: ${printableText(line)}\n`);
  };
  const events = {
    said: (line: string) => say(`nix: ${line}`),
    there: (count: number) => void (delivery.there += count),
    sent: (count: number) => {
      delivery.sent += count;
      say(`${delivery.sent + delivery.there} of ${paths.length} paths are there`);
    },
  };
  if (staged) {
    const staging = transfers.use(Staging.open(join(stateDirForWriting(environment), STAGINGS), storeDir));
    await sendStaged(transfer, staging, events, signal);
  } else {
    await sendDirectly(transfer, events, signal);
  }
  return delivery;
}

/** Where anything stays, so does a path that was named: it is in nobody else's closure. */
function verdictOf({ blocking, kept }: Selection): Verdict {
  if (kept.length === 0) return 'clean';
  return blocking.every(({ standing }) => standing.standing === 'incomplete') ? 'incomplete' : 'contaminated';
}

function warn(error: NarScanError): void {
  tellError(reportError(error, null));
}
