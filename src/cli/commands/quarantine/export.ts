import { randomBytes } from 'node:crypto';
import { createWriteStream, lstatSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NarScanError } from '../../../model/errors.ts';
import { hashOfNar, readNar } from '../../../quarantine/store/narFile.ts';
import { NAR_FILE, quarantineDir } from '../../../quarantine/store/place.ts';
import type { QuarantinedRecord } from '../../../quarantine/trail/record.ts';
import { printableText } from '../../../report/printable.ts';
import { bytesForPeople } from '../../../report/units.ts';
import type { Arguments } from '../../arguments.ts';
import { STDIN as STDOUT } from '../../invocation.ts';
import { atDesk, outputMeant } from './desk.ts';

/**
 * `quarantine export`: the kept NAR of an output, into a file or to stdout. It is read through before
 * the first byte is given: what is not what was scanned is not given.
 *
 * @throws NarScanError QUARANTINE_UNKNOWN, QUARANTINE_DAMAGED, QUARANTINE_NOT_EXPORTED, USAGE_*, STATE_*, AUDIT_*
 */
export async function exportQuarantined(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  write: (text: string) => void,
): Promise<void> {
  const [named, to, ...others] = said.targets;
  if (named === undefined || to === undefined || others.length > 0) {
    throw new NarScanError('USAGE_BAD_VALUE', 'quarantine export takes an id and a file, or - for stdout');
  }
  await atDesk(said, environment, async ({ log }) => {
    const record = await outputMeant({ log }, named, said, environment);
    if (to !== STDOUT) refuseExisting(to);
    const { id, storePath } = record;
    const file = join(quarantineDir(log.directory), id, NAR_FILE);
    await refuseOther(file, record);
    await log.append({ event: 'exported', id, storePath, to: to === STDOUT ? 'stdout' : to });
    await give(file, to, said.has('zstd'));
    if (to !== STDOUT) {
      const bytes = bytesForPeople(statSync(to).size);
      write(`exported ${printableText(storePath)} to ${printableText(to)}, ${bytes}\n`);
    }
  });
}

/** @throws NarScanError QUARANTINE_UNKNOWN, QUARANTINE_DAMAGED where the file is not what was kept */
async function refuseOther(file: string, { id, narHash, kept }: QuarantinedRecord): Promise<void> {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new NarScanError('QUARANTINE_UNKNOWN', `the NAR of ${id} is not kept`);
  const found = await hashOfNar(file).catch((error: Error) => {
    const message = `'${file}' cannot be read: ${error.message}`;
    throw new NarScanError('QUARANTINE_DAMAGED', message, { cause: error });
  });
  // what stands behind the end of the packed NAR is in no hash
  if (found !== narHash || (kept !== null && size !== kept)) {
    throw new NarScanError('QUARANTINE_DAMAGED', `'${file}' is not what was kept`);
  }
}

/** @throws NarScanError QUARANTINE_NOT_EXPORTED where something is there already */
function refuseExisting(to: string): void {
  if (lstatSync(to, { throwIfNoEntry: false }) === undefined) return;
  throw new NarScanError('QUARANTINE_NOT_EXPORTED', `'${to}' is there already`);
}

async function give(file: string, to: string, packed: boolean): Promise<void> {
  if (to === STDOUT) {
    // a reader who has gone is no fault
    await pipeline(readNar(file, packed), process.stdout, { end: false }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw notWritten('stdout', error);
      },
    );
    return;
  }
  const aside = join(dirname(to), `.nar-scan-${randomBytes(8).toString('hex')}.tmp`);
  try {
    await pipeline(readNar(file, packed), createWriteStream(aside, { flags: 'wx', flush: true }));
    await rename(aside, to);
  } catch (error) {
    await rm(aside, { force: true });
    throw notWritten(to, error);
  }
}

function notWritten(to: string, error: unknown): NarScanError {
  // the message of the system names the file beside it that was begun
  const { code, message } = error as NodeJS.ErrnoException;
  return new NarScanError(
    'QUARANTINE_NOT_EXPORTED',
    `the NAR cannot be written to '${to}': ${code ?? message}`,
    {
      cause: error,
    },
  );
}
