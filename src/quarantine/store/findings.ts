import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foundOfBytes } from '../../ledger/sqlite/foundBytes.ts';
import { stateUnreadable } from '../../ledger/stateDir.ts';
import { NarScanError } from '../../model/errors.ts';
import type { OutputFacts } from '../../model/facts.ts';
import type { QuarantinedRecord } from '../trail/record.ts';
import { FACTS_FILE, quarantineDir } from './place.ts';

/**
 * What was found in a quarantined output.
 * @param state the state directory
 * @throws NarScanError QUARANTINE_UNKNOWN where that is not there any more, STATE_UNREADABLE
 */
export function readFindings(state: string, { id, storePath, narHash }: QuarantinedRecord): OutputFacts {
  const file = join(quarantineDir(state), id, FACTS_FILE);
  const found = foundOfBytes(readKept(file));
  if (found === null) throw stateUnreadable(file, new Error('it is damaged; --json shows the report'));
  return { ...found, target: storePath, narHash };
}

/** A file of what is kept of an output. @throws NarScanError as {@link readFindings} */
export function readKept(file: string): Buffer {
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
