import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foundOfBytes } from '../../../ledger/sqlite/foundBytes.ts';
import { stateUnreadable } from '../../../ledger/stateDir.ts';
import { NarScanError } from '../../../model/errors.ts';
import { decide } from '../../../policy/decide.ts';
import { deniedText, releasedText } from '../../../quarantine/decisionText.ts';
import { FACTS_FILE, quarantineDir, REPORT_FILE } from '../../../quarantine/store/place.ts';
import { covers } from '../../../quarantine/trail/decisions.ts';
import { humanReporter } from '../../../report/human.ts';
import { printableText } from '../../../report/printable.ts';
import type { Arguments } from '../../arguments.ts';
import { todaysDecisions } from '../../decisions.ts';
import { COLORS } from '../../flags.ts';
import { columnsOf, STDOUT_DESCRIPTOR, wantsColor } from '../../terminal.ts';
import { atDesk, onlyOperand, outputMeant } from './desk.ts';

/**
 * `quarantine show`: what was found in an output, under today's policy, or the report as it was then.
 * @throws NarScanError QUARANTINE_UNKNOWN, STATE_*, AUDIT_*, POLICY_*
 */
export async function showQuarantined(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const named = onlyOperand(said, 'ID or STORE-PATH');
  return await atDesk(said, environment, async ({ log, policy }) => {
    const record = await outputMeant({ log }, named, said, environment);
    const directory = join(quarantineDir(log.directory), record.id);
    if (said.has('json')) return read(join(directory, REPORT_FILE)).toString('utf8');
    const file = join(directory, FACTS_FILE);
    const found = foundOfBytes(read(file));
    if (found === null) throw stateUnreadable(file, new Error('it is damaged; --json shows the report'));
    const { narHash, storePath, blocking, at, actor } = record;
    const facts = { ...found, target: storePath, narHash };
    const { result } = decide(facts, policy.verdict, new Date());
    const color = COLORS.find((name) => name === said.last('color')) ?? 'auto';
    const reporter = humanReporter({
      color: wantsColor(color, environment),
      columns: columnsOf(STDOUT_DESCRIPTOR),
      quiet: false,
      verbose: said.has('verbose'),
    });
    using decisions = await todaysDecisions(environment);
    const now = new Date();
    const releases = narHash === null ? [] : decisions.releases(storePath, narHash, now);
    const lines = [
      `${record.id}: in quarantine since ${at}, by ${printableText(actor)}`,
      ...decisions.denialsOf(storePath, narHash).map((denial) => deniedText(denial)),
      ...releases.filter((release) => covers(release, blocking)).map(releasedText),
    ];
    return lines.map((line) => `${line}\n`).join('') + reporter.output(result);
  });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new NarScanError(
        'QUARANTINE_UNKNOWN',
        `there is no '${file}' (any more): --json shows the report if that is there, a scan what is found today`,
      );
    }
    throw stateUnreadable(file, error);
  }
}
