import { NarScanError } from '../../../model/errors.ts';
import { spanOf } from '../../../model/when.ts';
import { Quarantine } from '../../../quarantine/store/quarantine.ts';
import { bytesForPeople, counted } from '../../../report/units.ts';
import type { Arguments } from '../../arguments.ts';
import { atDesk, outputMeant } from './desk.ts';

/**
 * `quarantine purge`: takes kept NARs away, or all that is kept; the trail says so.
 * @throws NarScanError QUARANTINE_UNKNOWN, USAGE_*, STATE_*, AUDIT_*, POLICY_*
 */
export async function purgeQuarantined(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const age = said.last('older-than');
  if ((age === null) === (said.targets.length === 0)) {
    throw new NarScanError('USAGE_BAD_VALUE', 'quarantine purge takes ids, or --older-than AGE');
  }
  return await atDesk(said, environment, async ({ log, policy }) => {
    const before = Date.now() - (spanOf(age ?? '') ?? 0);
    const outputs =
      age === null
        ? await Promise.all(said.targets.map((named) => outputMeant({ log }, named, said, environment)))
        : [...log.outputs(0)].filter(({ at }) => Date.parse(at) < before);
    const because = said.last('reason') ?? (age === null ? 'asked for' : `older than ${age}`);
    const purged = await new Quarantine(log, policy.gate.quarantine).purge(
      outputs,
      because,
      said.has('findings'),
    );
    const bytes = purged.reduce((sum, record) => sum + (record.event === 'purged' ? record.bytes : 0), 0);
    return `purged ${counted(purged.length, 'output')}, ${bytesForPeople(bytes)}\n`;
  });
}
