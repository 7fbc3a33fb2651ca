import { closureOf } from '../../guard/closure.ts';
import type { GateAnswer } from '../../guard/gate.ts';
import { lineOf } from '../../guard/hook/lines.ts';
import { guardSettings } from '../../guard/hook/modes.ts';
import { type Ruling, rulingsOn } from '../../guard/hook/ruling.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Verdict } from '../../model/facts.ts';
import { releasedText } from '../../quarantine/decisionText.ts';
import { printableText } from '../../report/printable.ts';
import type { Arguments } from '../arguments.ts';
import { todaysDecisions, warn } from '../decisions.ts';
import { tellError } from '../diagnostics.ts';
import { exitStatus } from '../exitStatus.ts';
import { openGate, storePathsOf } from '../gate.ts';
import { surroundedOf } from '../invocation.ts';
import { loadPolicy } from '../policy/policyFile.ts';

/**
 * What `nar-scan guard` prints: of each store path whether it may leave with all that it refers to, as the
 * post-build hook would say. Facts are remembered, nothing else is written.
 *
 * @throws NarScanError where nothing was judged
 */
export async function guardText(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly text: string; readonly status: number }> {
  const { targets } = said;
  if (targets.length === 0) throw new NarScanError('USAGE_NO_PATH', 'guard needs a store path');
  const surrounded = surroundedOf(said, environment);
  const loaded = (await loadPolicy(said.last('policy'), environment)).policy;
  const policy = { ...loaded, verdict: { ...loaded.verdict, strict: said.has('strict') } };
  const settings = guardSettings(policy.gate, environment);
  using decisions = await todaysDecisions(environment);
  const now = new Date();
  const isOver = (): boolean => false;
  const gate = await openGate({ surrounded, policy, environment, decisions, now, isOver, warn });
  const roots = await storePathsOf({ ...surrounded, targets });
  const answer = await gate.ask(closureOf(gate.stateDirs, roots), new AbortController().signal);
  for (const error of answer.errors) tellError(error);
  const rulings = rulingsOn(roots, answer, settings);
  const lines = rulings.map((ruling) =>
    ruling.blockers.length > 0 || ruling.fate !== 'pass'
      ? lineOf(ruling, policy.verdict)
      : freeLine(ruling, answer),
  );
  const text = lines.map((line) => `${line}\n`).join('');
  return { text, status: exitStatus(verdictOf(rulings), answer.errors.length) };
}

function freeLine({ storePath }: Ruling, { standings }: GateAnswer): string {
  const shown = printableText(storePath);
  const release = standings.get(storePath)?.release ?? null;
  if (release === null) return `may leave: ${shown}`;
  return `may leave: ${shown}, ${releasedText(release)}`;
}

/** What is denied counts as contaminated. */
function verdictOf(rulings: readonly Ruling[]): Verdict {
  const standings = rulings.flatMap(({ blockers }) => blockers.map(({ standing }) => standing));
  if (standings.some((standing) => standing === 'contaminated' || standing === 'denied'))
    return 'contaminated';
  return rulings.some(({ blockers, fate }) => blockers.length > 0 || fate !== 'pass')
    ? 'incomplete'
    : 'clean';
}
