import type { ReportError } from '../../model/report.ts';
import { reportError } from '../../model/report.ts';
import type { Policy } from '../../policy/policy.ts';
import { printableText } from '../../report/printable.ts';
import type { ReportOrigin } from '../../report/reporter.ts';
import { type Closure, closureOf } from '../closure.ts';
import type { GateAnswer } from '../gate.ts';
import { lineOf, showCommandOf } from './lines.ts';
import { fateOf, FATES, guardSettings } from './modes.ts';
import { nestingOf } from './nesting.ts';
import { type HookOutputs, hookOutputs } from './outputs.ts';
import { type Ruling, rulingsOn } from './ruling.ts';

/** What happened, for those who keep it. */
export interface HookEvent {
  /** What was built, as a derivation is called; else the name of an output. */
  readonly name: string;
  readonly derivation: string | null;
  /** Outputs that are not clean, or whose closure is not. */
  readonly rulings: readonly Ruling[];
  readonly closure: Closure;
  readonly errors: readonly ReportError[];
  readonly origin: ReportOrigin;
}

/** Who keeps what happened. */
export interface HookKeeper {
  /** Writes the report. @returns its file */
  report(event: HookEvent): Promise<string>;
  /** Writes down what is withheld, and keeps it. @returns the ids of what blocks it, by store path */
  record(event: HookEvent): Promise<ReadonlyMap<string, string>>;
}

/** One run of the hook: what it is told, and whom it tells. */
export interface Hook {
  readonly environment: NodeJS.ProcessEnv;
  readonly policy: Policy;
  readonly storeDir: string;
  readonly stateDirs: readonly string[];
  /** Where a logical store path lies. */
  readonly diskOf: (storePath: string) => string;
  readonly ask: (closure: Closure) => Promise<GateAnswer>;
  readonly origin: () => Promise<ReportOrigin>;
  readonly keeper: () => Promise<HookKeeper>;
  readonly next: (words: readonly string[], environment: NodeJS.ProcessEnv) => Promise<number>;
  /** Takes one printable line for whoever builds. */
  readonly say: (line: string) => void;
  readonly fault: (error: ReportError) => void;
}

/** What a hook ends with: the build goes on, fails because of what it made, or because nobody knows. */
const PASSED = 0;
const REJECTED = 1;
const FAULTY = 2;

/** Lines on single outputs; of a build with more of them the rest is counted. */
const LINES = 16;

/**
 * Judges what was built, as a post-build hook of Nix, and starts the hook that follows with what may
 * leave. Whatever goes wrong is told and ends in a status that is not 0: Nix lets the build fail then.
 *
 * @returns the exit status: 1 for a build that is rejected, 2 for an error, else that of the hook that follows
 * @throws NarScanError where nothing was judged
 */
export async function runHook(hook: Hook): Promise<number> {
  const { environment, policy, storeDir, stateDirs, diskOf } = hook;
  const settings = guardSettings(policy.gate, environment);
  const built = hookOutputs(environment, storeDir, diskOf);
  const nesting = nestingOf(environment, built.derivation ?? built.named[0] ?? '');
  const closure = closureOf(stateDirs, built.named, built.derived);
  const outputs = [...new Set([...built.named, ...built.derived])].filter((path) => closure.has(path));
  const answer = await hook.ask(closure);
  const rulings = rulingsOn(outputs, answer, settings);
  let faults = answer.errors.length;
  for (const error of answer.errors) hook.fault(error);
  const rejected = rulings.some(({ fate }) => fate === 'reject');
  const unknown = tellUnnamed(hook, built, settings);
  if (rulings.some(({ blockers, fate }) => blockers.length > 0 || fate !== 'pass')) {
    faults += await tell(hook, await eventOf(hook, built, rulings, closure, answer.errors));
  }
  if (rejected || unknown) return REJECTED;
  if (faults > 0) return FAULTY;
  const leaving = rulings.filter(({ fate }) => fate === 'pass').map(({ storePath }) => storePath);
  if (settings.next.length === 0 || leaving.length === 0) return PASSED;
  if (nesting.again) {
    hook.say(`guard.then is not started again inside itself for ${printableText(leaving.join(' '))}`);
    return PASSED;
  }
  const variables = { ...environment, ...nesting.variables, OUT_PATHS: leaving.join(' ') };
  return await hook.next(settings.next, variables);
}

async function eventOf(
  { origin }: Hook,
  { derivation, named, derived }: HookOutputs,
  rulings: readonly Ruling[],
  closure: Closure,
  errors: readonly ReportError[],
): Promise<HookEvent> {
  const path = derivation ?? [...named, ...derived][0] ?? '';
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/^[^-]*-/, '');
  const told = rulings.filter(({ blockers, fate }) => blockers.length > 0 || fate !== 'pass');
  return {
    name: name.replace(/\.drv$/, ''),
    derivation,
    rulings: told,
    closure,
    errors,
    origin: await origin(),
  };
}

/** Outputs of which nobody says what they are called cannot be inspected. @returns whether the build fails */
function tellUnnamed(
  { say }: Hook,
  { derivation, unnamed }: HookOutputs,
  settings: ReturnType<typeof guardSettings>,
): boolean {
  if (unnamed === 0) return false;
  say(
    `not inspected: ${unnamed} outputs of ${printableText(derivation ?? '')}, whose paths Nix does not tell`,
  );
  return fateOf('incomplete', settings) === 'reject';
}

/**
 * Keeps and tells what happened; the worst last, with the report: that is what is seen.
 * @returns how much of it failed
 */
async function tell(hook: Hook, event: HookEvent): Promise<number> {
  let faults = 0;
  const attempt = async <T>(act: () => Promise<T>): Promise<T | null> => {
    try {
      return await act();
    } catch (error) {
      faults++;
      hook.fault(reportError(error, null));
      return null;
    }
  };
  const keeper = await hook.keeper();
  const isRecorded = event.rulings.some(({ fate }) => fate !== 'pass');
  const ids = isRecorded ? await attempt(() => keeper.record(event)) : null;
  const report = await attempt(() => keeper.report(event));
  const worstLast = event.rulings.toSorted((a, b) => FATES.indexOf(a.fate) - FATES.indexOf(b.fate));
  const shown = worstLast.slice(-LINES);
  const left = worstLast.length - shown.length;
  if (left > 0) hook.say(`${left} more outputs of this build are not passed on`);
  for (const [index, ruling] of shown.entries()) {
    const last = index === shown.length - 1;
    const see = [...showIn(ids, ruling), ...(last && report !== null ? [printableText(report)] : [])];
    const line = lineOf(ruling, hook.policy.verdict);
    hook.say(see.length === 0 ? line : `${line}; see ${see.join(', ')}`);
  }
  return faults;
}

/** The command that shows what is recorded of that which the line on an output names; none where nothing is. */
function showIn(ids: ReadonlyMap<string, string> | null, { fate, blockers }: Ruling): readonly string[] {
  const [first] = blockers;
  const id = fate === 'pass' || first === undefined ? undefined : ids?.get(first.storePath);
  return id === undefined ? [] : [showCommandOf(id)];
}
