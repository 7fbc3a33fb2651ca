import { join } from 'node:path';
import { byteStringOfText } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Verdict } from '../../model/facts.ts';
import { reportError } from '../../model/report.ts';
import { findNix } from '../../nix/program.ts';
import type { Policy } from '../../policy/policy.ts';
import type { AllDecisions } from '../../quarantine/decision.ts';
import { loadDigest } from '../../report/ids.ts';
import { printableText } from '../../report/printable.ts';
import type { ReportOrigin } from '../../report/reporter.ts';
import { stateDirForWriting } from '../../ledger/stateDir.ts';
import { type Closure, closureOf } from '../../guard/closure.ts';
import { sendDirectly, sendStaged, type Transfer } from '../../guard/copy/copy.ts';
import type { TransferProgress } from '../../guard/copy/meter.ts';
import { Permission } from '../../guard/copy/permission.ts';
import { Refusal } from '../../guard/copy/refusal.ts';
import { select, type Selection } from '../../guard/copy/selection.ts';
import { Staging } from '../../guard/copy/staging.ts';
import type { Arguments } from '../arguments.ts';
import { todaysDecisions } from '../decisions.ts';
import { tellError, writeDiagnostic } from '../diagnostics.ts';
import { EXIT_ERROR, exitStatus } from '../exitStatus.ts';
import { openGate, type OpenGate, storePathsOf } from '../gate.ts';
import { listenForInterruption } from '../interruption.ts';
import { loadPolicy } from '../policy/policyFile.ts';
import { openReportSink } from '../reportSink.ts';
import { type Progress, scanText, shownProgress, transferText } from '../progress.ts';
import { type CopyInvocation, copyInvocationOf } from './copyInvocation.ts';
import { type CopyJudgement, type CopyOutcome, type CopyTeller, copyTeller } from './copyTeller.ts';

/** Below the state directory. */
const STAGINGS = 'staging';

/** How often it is asked, while something is sent, whether it still may be. */
const RENEWED_MILLISECONDS = 1000;

/** What one run of copy works with. */
interface Run {
  readonly invocation: CopyInvocation;
  readonly environment: NodeJS.ProcessEnv;
  readonly policy: Policy;
  readonly decisions: AllDecisions;
  readonly gate: OpenGate;
  readonly closure: Closure;
  readonly now: Date;
  readonly origin: () => Promise<ReportOrigin>;
  readonly judgement: CopyJudgement;
  readonly teller: CopyTeller;
}

/**
 * Sends store paths with their closures by `nix copy`, if all of it may leave; or what of it may.
 *
 * @param version of this program
 * @returns the exit status: 0 if all that was asked for was sent; else 1, or 3 where all that stays is incomplete
 * @throws NarScanError where nothing was judged, or not all was sent for another cause than a verdict
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
    const shown = shownProgress(invocation.quiet, scanText);
    const progress = (state: Progress): void => shown.update(state);
    const options = { surrounded: invocation, policy, environment, decisions, now, isOver, warn, progress };
    const [gate, named] = await Promise.all([openGate(options), storePathsOf(invocation)]);
    const origin = () => gate.origin(version);
    const teller = await copyTeller({ invocation, policy: policy.verdict, origin, print });
    const closure = closureOf(gate.stateDirs, named);
    const answer = await gate.ask(closure, signal);
    shown.clear();
    signal.throwIfAborted();
    for (const error of answer.errors) tellError(error);
    const selection = select(closure, answer);
    const refused = selection.kept.length > 0 && (!invocation.skip || selection.free.length === 0);
    const judgement = { named, answer, selection, refused };
    const run = { invocation, environment, policy, decisions, gate, closure, now, origin, judgement, teller };
    await teller.judged(judgement);
    if (selection.kept.length > 0 && !invocation.dryRun) await record(run);
    teller.became('kept', selection.kept);
    const failure = await deliver(run, transfers, signal);
    const verdict = verdictOf(selection, failure?.error);
    const status = verdict === null ? EXIT_ERROR : exitStatus(verdict, answer.errors.length);
    const faults = failure === null ? [] : [reportError(failure.error, null)];
    await teller.end({ errors: [...answer.errors, ...faults], failed: failure !== null, status });
    await stdout.finish();
    if (failure !== null && verdict === null) throw failure.error;
    for (const fault of faults) tellError(fault);
    return status;
  } finally {
    // what was said before something failed is said
    await stdout.write('');
    stopListening();
  }
}

/** Sends what may leave, if it is to be sent. @returns what the transfer failed with; null where it did not */
async function deliver(
  run: Run,
  transfers: DisposableStack,
  signal: AbortSignal,
): Promise<{ readonly error: unknown } | null> {
  const { invocation, judgement, teller } = run;
  const { free } = judgement.selection;
  const waiting = new Set(free);
  const became = (outcome: CopyOutcome, paths: readonly string[]): void => {
    for (const path of paths) waiting.delete(path);
    teller.became(outcome, paths);
  };
  if (judgement.refused) became('unsent', free);
  else if (invocation.dryRun) became('would-send', free);
  else {
    let inFlight: readonly string[] = [];
    const permission = await permissionOf(run);
    const sending = (paths: readonly string[]): void => {
      permission.renew(new Date());
      inFlight = paths;
    };
    try {
      await registerHomes(run, signal);
      using allowed = whileAllowed(permission, signal);
      await send(run, { became, sending }, transfers, allowed.signal);
    } catch (error) {
      became(
        'unknown',
        inFlight.filter((path) => waiting.has(path)),
      );
      became('unsent', [...waiting]);
      return { error };
    }
  }
  return null;
}

/** A cache server of ours searches for the homes of its clients, too; loaded where there may be one. */
async function registerHomes({ invocation, gate, environment }: Run, signal: AbortSignal): Promise<void> {
  if (!invocation.registersHomes || !/^https?:/i.test(invocation.to.url)) return;
  const { tellHomes } = await import('./copyHomes.ts');
  await tellHomes(invocation, await gate.homes(), environment, signal);
}

/** Writes down what stays, so that it can be looked at and released. */
async function record({ environment, policy, gate, closure, now, origin, judgement }: Run): Promise<void> {
  const [{ hookKeeper }, { rulingsOn }] = await Promise.all([
    import('../hook/keeper.ts'),
    import('../../guard/hook/ruling.ts'),
  ]);
  const { named, answer } = judgement;
  const rulings = rulingsOn(named, answer, policy.gate.guard)
    .filter(({ storePath }) => !answer.graph.mayLeave(storePath))
    .map((ruling) => ({ ...ruling, fate: 'withhold' as const }));
  const keeper = hookKeeper({ environment, policy, diskOf: gate.diskOf, now, warn });
  const event = { name: 'copy', derivation: null, rulings, closure, errors: answer.errors };
  await keeper.record({ ...event, origin: await origin() });
}

async function permissionOf({ decisions, policy, closure, judgement }: Run): Promise<Permission> {
  const { answer, selection } = judgement;
  const digest = await loadDigest();
  const { standings } = answer;
  return new Permission({
    policy: policy.verdict,
    decisions,
    digest,
    closure,
    standings,
    free: selection.free,
  });
}

/** A signal that also ends what is being sent when it may not leave any more. */
function whileAllowed(
  permission: Permission,
  signal: AbortSignal,
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = setInterval(() => {
    try {
      permission.renew(new Date());
    } catch (error) {
      controller.abort(error);
    }
  }, RENEWED_MILLISECONDS);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Who is told of paths while they are sent. */
interface Sending {
  readonly became: (outcome: 'there' | 'sent', storePaths: readonly string[]) => void;
  readonly sending: (storePaths: readonly string[]) => void;
}

async function send(
  { invocation, environment, gate, closure, judgement }: Run,
  { became, sending }: Sending,
  transfers: DisposableStack,
  signal: AbortSignal,
): Promise<void> {
  const { answer, selection } = judgement;
  const paths = selection.free.map((storePath) => {
    const info = closure.get(storePath);
    const judged = answer.standings.get(storePath)?.narHash ?? null;
    if (info === undefined || judged === null) {
      throw new NarScanError('TREE_NOT_SERIALISABLE', `'${storePath}' could not be hashed as a whole`);
    }
    return { path: byteStringOfText(gate.diskOf(storePath)), info, judged };
  });
  const { to, nixFlags: flags, storeDir, store = null, quiet, staged } = invocation;
  const transfer: Transfer = { paths, to, flags, storeDir, store, environment };
  const shown = shownProgress(quiet, transferText);
  // old versions of Nix tell nothing before a path has arrived
  const kept = shown.keep();
  const say = (line: string): void => {
    shown.clear();
    if (!quiet) writeDiagnostic(`nar-scan: ${printableText(line)}\n`);
  };
  let arrived = 0;
  const events = {
    said: (line: string) => say(`nix: ${line}`),
    there: (storePaths: readonly string[]) => {
      arrived += storePaths.length;
      became('there', storePaths);
    },
    sending,
    sent: (storePaths: readonly string[]) => {
      arrived += storePaths.length;
      became('sent', storePaths);
      if (!shown.isShown) say(`${arrived} of ${paths.length} paths are there`);
    },
    progress: shown.isShown ? (state: TransferProgress) => shown.update(state) : null,
  };
  try {
    if (staged) {
      const staging = transfers.use(Staging.open(join(stateDirForWriting(environment), STAGINGS), storeDir));
      await sendStaged(transfer, staging, events, signal);
    } else {
      await sendDirectly(transfer, events, signal);
    }
  } finally {
    kept[Symbol.dispose]();
    shown.clear();
  }
}

/**
 * Where anything stays, so does a path that was named: it is in nobody else's closure.
 * @param failure what the transfer ended with; null: it was no verdict
 */
function verdictOf({ blocking, kept }: Selection, failure: unknown): Verdict | null {
  if (failure !== undefined && !(failure instanceof Refusal)) return null;
  const verdicts = [
    ...(failure === undefined ? [] : [failure.verdict]),
    ...blocking.map(({ standing }) => (standing.standing === 'incomplete' ? 'incomplete' : 'contaminated')),
  ];
  // what refers to a path that nobody knows stays, too
  if (verdicts.length === 0) return kept.length === 0 ? 'clean' : 'incomplete';
  return verdicts.every((verdict) => verdict === 'incomplete') ? 'incomplete' : 'contaminated';
}

function warn(error: NarScanError): void {
  tellError(reportError(error, null));
}
