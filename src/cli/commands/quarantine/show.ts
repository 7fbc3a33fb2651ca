import { join } from 'node:path';
import { decide } from '../../../policy/decide.ts';
import { deniedText, releasedText } from '../../../quarantine/decisionText.ts';
import { readFindings, readKept } from '../../../quarantine/store/findings.ts';
import { quarantineDir, REPORT_FILE } from '../../../quarantine/store/place.ts';
import { covers } from '../../../quarantine/trail/decisions.ts';
import { humanReporter } from '../../../report/human.ts';
import { printableText } from '../../../report/printable.ts';
import type { Arguments } from '../../arguments.ts';
import { todaysDecisions } from '../../decisions.ts';
import { COLORS } from '../../flags/scanFlags.ts';
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
    if (said.has('json'))
      return readKept(join(quarantineDir(log.directory), record.id, REPORT_FILE)).toString('utf8');
    const { narHash, storePath, blocking, at, actor } = record;
    const { result } = decide(readFindings(log.directory, record), policy.verdict, new Date());
    const color = COLORS.find((name) => name === said.last('color')) ?? 'auto';
    const reporter = humanReporter({
      color: wantsColor(color, environment),
      columns: columnsOf(STDOUT_DESCRIPTOR),
      quiet: false,
      verbose: said.has('verbose'),
    });
    using decisions = await todaysDecisions(environment);
    const now = new Date();
    const releases = narHash === null ? [] : decisions.releasesOf(storePath, narHash, now);
    const lines = [
      `${record.id}: in quarantine since ${at}, by ${printableText(actor)}`,
      ...decisions.denialsOf(storePath, narHash).map((denial) => deniedText(denial)),
      ...releases.filter((release) => covers(release, blocking)).map(releasedText),
    ];
    return lines.map((line) => `${line}\n`).join('') + reporter.output(result);
  });
}
