import { join } from 'node:path';
import { fileSynced } from '../../ledger/durable.ts';
import { bytesOfFound } from '../../ledger/sqlite/foundBytes.ts';
import type { OutputFacts } from '../../model/facts.ts';
import type { OutputResult } from '../../model/report.ts';
import type { PathInfo } from '../../nix/database.ts';
import type { Strictness } from '../../policy/verdict.ts';
import type { Digest } from '../../report/ids.ts';
import { jsonReporter } from '../../report/json.ts';
import { printableJson } from '../../report/printable.ts';
import type { ReportOrigin } from '../../report/reporter.ts';
import type { NarSource } from './narFile.ts';
import { FACTS_FILE, INFO_FILE, REPORT_FILE } from './place.ts';

/** An output that is refused. */
export interface Refused {
  /** For content whose store path nobody has told, what `contentName` calls it. */
  readonly storePath: string;
  /** Null: there is no NAR to be kept. */
  readonly nar: NarSource | null;
  /** As scanning found them. */
  readonly facts: OutputFacts;
  /** The facts as judged today. */
  readonly result: OutputResult;
  /** The policy that judged them. */
  readonly policy: Strictness;
  /** What the Nix database has of it; null where it has nothing. */
  readonly registered: PathInfo | null;
  readonly origin: ReportOrigin;
}

const MODE = 0o600;

/**
 * Writes what was found in an output and what is known of it.
 * @throws the system's error
 */
export async function writeFindings(
  directory: string,
  id: string,
  refused: Refused,
  digest: Digest,
): Promise<void> {
  const { storePath, facts, result, registered, origin } = refused;
  const reporter = jsonReporter(origin, digest);
  const pieces = [reporter.begin(), reporter.output(result)];
  const { verdict, stats } = result;
  const summary = { verdict, errors: [], unusedWaivers: [], milliseconds: stats.milliseconds };
  await fileSynced(join(directory, REPORT_FILE), [...pieces, ...reporter.end(summary)], MODE);
  const found = bytesOfFound(facts);
  if (found !== null) await fileSynced(join(directory, FACTS_FILE), [found], MODE);
  const { narHash, target } = facts;
  const info = { schema: 'nar-scan/quarantine-v1', id, storePath, narHash, target, registered };
  await fileSynced(join(directory, INFO_FILE), [`${printableJson(info)}\n`], MODE);
}
