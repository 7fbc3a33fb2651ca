import { closureOf } from '../../guard/closure.ts';
import { exceptionOf } from '../../guard/exceptions.ts';
import type { GateAnswer } from '../../guard/gate.ts';
import { lineOf } from '../../guard/hook/lines.ts';
import { guardSettings } from '../../guard/hook/modes.ts';
import { type Ruling, rulingsOn } from '../../guard/hook/ruling.ts';
import { NarScanError } from '../../model/errors.ts';
import type { VerdictPolicy } from '../../policy/policy.ts';
import { printableText } from '../../report/printable.ts';
import type { Arguments } from '../arguments.ts';
import { todaysDecisions, warn } from '../decisions.ts';
import { tellError } from '../diagnostics.ts';
import { exitStatus } from '../exitStatus.ts';
import { formatOf } from '../format.ts';
import { openGate, storePathsOf } from '../gate.ts';
import { surroundedOf } from '../invocation.ts';
import { loadPolicy } from '../policy/policyFile.ts';

/**
 * What `nar-scan guard` prints: of each store path whether it may leave with all that it refers to, as the
 * post-build hook would say. Facts are remembered, nothing else is written.
 *
 * @param version of this program
 * @returns the status is the one that the hook would end with, were nothing to follow it
 * @throws NarScanError where nothing was judged
 */
export async function guardText(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  version: string,
): Promise<{ readonly text: string; readonly status: number }> {
  const { targets } = said;
  if (targets.length === 0) throw new NarScanError('USAGE_NO_PATH', 'guard needs a store path');
  const format = formatOf(said, ['human', 'json']);
  const surrounded = surroundedOf(said, environment);
  const loaded = (await loadPolicy(said.last('policy'), environment)).policy;
  const policy = { ...loaded, verdict: { ...loaded.verdict, strict: said.has('strict') } };
  const settings = guardSettings(policy.gate, environment);
  using decisions = await todaysDecisions(environment);
  const now = new Date();
  const isOver = (): boolean => false;
  const gate = await openGate({ surrounded, policy, environment, decisions, now, isOver, warn });
  const named = await storePathsOf({ ...surrounded, targets });
  const answer = await gate.ask(closureOf(gate.stateDirs, named), new AbortController().signal);
  const { errors } = answer;
  for (const error of errors) tellError(error);
  const rulings = rulingsOn(named, answer, settings);
  const rejects = rulings.some(({ fate }) => fate === 'reject');
  const status = exitStatus(rejects ? 'contaminated' : 'clean', errors.length);
  if (format === 'human') {
    return { text: rulings.map((ruling) => linesOn(ruling, answer, policy.verdict)).join(''), status };
  }
  const [{ gateDocument }, { loadDigest }] = await Promise.all([
    import('../../guard/gateDocument.ts'),
    import('../../report/ids.ts'),
  ]);
  const paths = rulings.map(({ storePath, fate }) => ({ storePath, named: true, outcome: fate }));
  const event = { head: { command: 'guard' }, answer, errors, origin: await gate.origin(version) };
  return { text: gateDocument(event, paths, policy.verdict, await loadDigest()), status };
}

function linesOn(ruling: Ruling, answer: GateAnswer, policy: VerdictPolicy): string {
  const { storePath, blockers, fate } = ruling;
  if (blockers.length === 0 && fate === 'pass') {
    const exception = exceptionOf(storePath, answer, policy);
    return `may leave: ${printableText(storePath)}${exception === null ? '' : `, ${exception}`}\n`;
  }
  const [first] = blockers;
  const way = first === undefined ? [] : answer.graph.wayBetween(storePath, first.storePath);
  const ways = way.map((path) => `  by ${printableText(path)}\n`);
  return `${lineOf(ruling, policy)}\n${ways.join('')}`;
}
