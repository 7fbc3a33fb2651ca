import type { Arguments } from '../../arguments.ts';
import type { CommandName } from '../../commands.ts';
import { listAudit, verifyAudit } from '../audit.ts';
import { denyOutput, liftDecision, releaseQuarantined } from './decide.ts';
import { exportQuarantined } from './export.ts';
import { listQuarantine } from './list.ts';
import { purgeQuarantined } from './purge.ts';
import { showQuarantined } from './show.ts';

/** Writes to stdout. */
type Write = (text: string) => void;

type Run = (said: Arguments, environment: NodeJS.ProcessEnv, write: Write) => Promise<void>;

const COMMANDS: Readonly<Partial<Record<CommandName, Run>>> = {
  'quarantine list': listQuarantine,
  'quarantine show': printing(showQuarantined),
  'quarantine release': printing(releaseQuarantined),
  'quarantine deny': printing(denyOutput),
  'quarantine lift': printing(liftDecision),
  'quarantine purge': printing(purgeQuarantined),
  'quarantine export': exportQuarantined,
  'audit verify': printing(verifyAudit),
  'audit list': listAudit,
};

/**
 * Runs a command on the quarantine or on its audit trail.
 * @throws NarScanError as the command does
 */
export async function runOnQuarantine(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  write: Write,
): Promise<void> {
  await COMMANDS[said.command]?.(said, environment, write);
}

function printing(text: (said: Arguments, environment: NodeJS.ProcessEnv) => Promise<string>): Run {
  return async (said, environment, write) => write(await text(said, environment));
}
