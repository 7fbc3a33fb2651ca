import { accessSync, constants, statSync } from 'node:fs';
import { NarScanError } from '../../model/errors.ts';
import type { GateSettings } from '../../policy/gate.ts';
import { policyDoubts } from '../../policy/doubts.ts';
import { policyToml } from '../../policy/print.ts';
import { examinePolicy } from '../../policy/read.ts';
import { printableText } from '../../report/printable.ts';
import { counted } from '../../report/units.ts';
import type { Arguments } from '../arguments.ts';
import { EXIT_ERROR } from '../exitStatus.ts';
import { findPolicy, loadPolicy } from './policyFile.ts';

/** What a command prints, and its exit status. */
interface Answer {
  readonly text: string;
  readonly status: number;
}

/**
 * `policy check`: all that is wrong with a policy file, one line each.
 * @throws NarScanError POLICY_UNREADABLE, POLICY_UNSAFE, USAGE_BAD_VALUE
 */
export async function checkPolicy(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  now: Date,
): Promise<Answer> {
  const flag = said.last('policy');
  const [named = null, ...others] = flag === null ? said.targets : [flag, ...said.targets];
  if (others.length > 0) throw new NarScanError('USAGE_BAD_VALUE', 'policy check takes one file');
  const found = findPolicy(named, environment);
  if (found === null) return answer(['there is no policy file: the built-in policy counts'], 0);
  const { path } = found;
  const { policy, faults } = examinePolicy(found.bytes, path);
  if (policy === null) {
    return answer(
      faults.map(({ line, message }) => `${path}:${line}: ${message}`),
      EXIT_ERROR,
    );
  }
  const programs = programDoubts(policy.gate).map((doubt) => `${path}: ${doubt}`);
  const doubts = [...policyDoubts(policy, now), ...programs].map((doubt) => `${doubt} (warning)`);
  return answer([...doubts, `${path}: good, ${counted(policy.verdict.waivers.length, 'waiver')}`], 0);
}

/**
 * `policy print`: the policy that counts as a policy file, headed by where it is from.
 * @throws NarScanError POLICY_UNREADABLE, POLICY_UNSAFE, POLICY_INVALID, USAGE_BAD_VALUE
 */
export async function printPolicy(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  if (said.targets.length > 0) {
    throw new NarScanError('USAGE_BAD_VALUE', 'policy print takes no file; name one by --policy');
  }
  const { policy, path, others } = await loadPolicy(said.last('policy'), environment);
  const head = [
    path === null ? '# the built-in policy: there is no policy file' : `# from ${path}`,
    ...others.map((other) => `# ${other} is there as well, and does not count`),
  ];
  const toml = policyToml(policy).trim();
  return answer(head, 0).text + (toml === '' ? '' : `\n${toml}\n`);
}

/** Programs that the policy names and this machine cannot start; the one it is written for may. */
function programDoubts({ guard, notify }: GateSettings): readonly string[] {
  const named = { 'guard.then': guard.next, 'notify.command': notify.command };
  return Object.entries(named).flatMap(([key, [program]]) => {
    const why = program === undefined ? null : startFault(program);
    return why === null ? [] : [`${key}: '${program}' ${why}`];
  });
}

function startFault(program: string): string | null {
  try {
    if (!statSync(program).isFile()) return 'is no file';
    accessSync(program, constants.X_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist on this machine';
    return `cannot be started: ${code ?? 'no reason given'}`;
  }
}

function answer(lines: readonly string[], status: number): Answer {
  return { text: lines.map((line) => `${printableText(line)}\n`).join(''), status };
}
