import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { PathInfo } from '../../nix/database.ts';
import { foundPaths } from '../../nix/pathInfo.ts';
import { runNix } from '../../nix/program.ts';
import { type Batch, batchesOf } from './batches.ts';
import { TransferMeter, type TransferProgress } from './meter.ts';
import { refusalBy, verdictIn } from './refusal.ts';
import type { Staged, Staging } from './staging.ts';
import type { StoreUrl } from './storeUrl.ts';

/** What a path takes on disk besides the bytes of its NAR: its narinfo, and the rest of two blocks. */
const BESIDE_BYTES = 16 * 1024;

/** What may leave, and how. */
export interface Transfer {
  /** Each behind what it refers to. */
  readonly paths: readonly Staged[];
  readonly to: StoreUrl;
  /** Flags for `nix copy`. */
  readonly flags: readonly string[];
  /** The logical store dir. */
  readonly storeDir: string;
  /** The store they lie in, where it is another than Nix would take. */
  readonly store: string | null;
  readonly environment: NodeJS.ProcessEnv;
}

/** What is told meanwhile. */
export interface TransferEvents {
  /** A line of Nix, without secrets of the destination. */
  said(line: string): void;
  /** Store paths that were at the destination before. */
  there(storePaths: readonly string[]): void;
  /** Store paths that are about to be handed to Nix; what this throws ends the transfer before. */
  sending(storePaths: readonly string[]): void;
  /** Store paths that have arrived. */
  sent(storePaths: readonly string[]): void;
  /** How far it is; null: nobody wants to know. */
  readonly progress: ((progress: TransferProgress) => void) | null;
}

/**
 * Sends paths as they were judged: each is serialised, hashed and compared once more, and Nix reads it
 * from a private binary cache. What the destination has is not staged, and the batches, references
 * first, keep the staging small.
 *
 * @throws NarScanError NIX_MISSING, NIX_FAILED, NIX_UNSIGNED, NIX_REFUSED (a {@link Refusal}), PATH_TAMPERED, TREE_NOT_SERIALISABLE, STATE_NOT_WRITTEN,
 * STAGING_FULL; what the signal was aborted with, and what `sending` throws
 */
export async function sendStaged(
  transfer: Transfer,
  staging: Staging,
  events: TransferEvents,
  signal: AbortSignal,
): Promise<void> {
  const { there, unknown } = await alreadyThere(transfer, signal);
  const isThere = ({ info }: Staged): boolean => there.has(info.storePath);
  const wanted = new Map(transfer.paths.filter((path) => !isThere(path)).map((path) => [path.info, path]));
  const limits = { bytes: Math.min(LIMITS.stagingBytes, staging.free / 2), paths: LIMITS.nixArguments };
  if (there.size > 0) events.there(namesOf(transfer.paths.filter(isThere).map(({ info }) => info)));
  const meter = meterOf([...wanted.keys()], events);
  let isTold = false;
  for (const batch of batchesOf([...wanted.keys()], limits)) {
    refuseFull(staging, batch);
    for (const info of batch.infos) {
      const path = wanted.get(info);
      if (path === undefined) continue;
      await staging.add(path, signal);
      meter?.staged(info);
    }
    await nixCopy(transfer, ['--from', staging.url], batch, { events, meter, signal });
    // a destination that takes nothing has said so by now, and once is enough
    if (unknown !== null && !isTold) events.said(unknown);
    isTold = true;
    staging.drop(batch.infos);
    events.sent(namesOf(batch.infos));
  }
}

/**
 * Lets Nix copy the paths from the store itself, as they are when it reads them: nothing is hashed again.
 * @throws NarScanError NIX_MISSING, NIX_FAILED, NIX_UNSIGNED, NIX_REFUSED; what the signal was aborted with, and what `sending` throws
 */
export async function sendDirectly(
  transfer: Transfer,
  events: TransferEvents,
  signal: AbortSignal,
): Promise<void> {
  const infos = transfer.paths.map(({ info }) => info);
  const meter = meterOf(infos, events);
  const source = transfer.store === null ? [] : ['--from', transfer.store];
  for (const batch of batchesOf(infos, { bytes: Infinity, paths: LIMITS.nixArguments })) {
    await nixCopy(transfer, source, batch, { events, meter, signal });
    events.sent(namesOf(batch.infos));
  }
}

function meterOf(infos: readonly PathInfo[], { progress }: TransferEvents): TransferMeter | null {
  return progress === null ? null : new TransferMeter(infos, progress);
}

/** Who is told of a run of Nix, and what ends it. */
interface Attendance {
  readonly events: TransferEvents;
  readonly meter: TransferMeter | null;
  readonly signal: AbortSignal;
}

/** Nix remembers for weeks what a cache had; what lay there may have been denied since. */
const ASKED_ANEW = ['--option', 'narinfo-cache-positive-ttl', '0'];

async function nixCopy(
  { to, flags, storeDir, environment }: Transfer,
  source: readonly string[],
  { infos, derivations }: Batch,
  { events, meter, signal }: Attendance,
): Promise<void> {
  const kind = derivations ? ['--derivation'] : [];
  // ours come last: they count; the first one, should the last of the others take a word for its value
  const ours = ['--no-recursive', ...ASKED_ANEW, ...source, '--to', to.url, ...kind];
  const names = namesOf(infos);
  const args = ['copy', '--no-recursive', ...flags, ...ours, ...names];
  const copied = meter?.copied.bind(meter);
  let verdict: string | null = null;
  const said = (line: string): void => {
    const redacted = to.redact(line);
    verdict = verdictIn(redacted) ?? verdict;
    events.said(redacted);
  };
  events.sending(names);
  try {
    await runNix({ args, environment: { ...environment, NIX_STORE_DIR: storeDir }, said, signal, copied });
  } catch (error) {
    signal.throwIfAborted();
    throw named(redacted(error, to), to, verdict);
  }
  for (const name of names) copied?.(name, null);
}

/** Which of the paths the destination has; none where it does not say, with a line on why. */
async function alreadyThere(
  { paths, to, storeDir, environment }: Transfer,
  signal: AbortSignal,
): Promise<{ readonly there: ReadonlySet<string>; readonly unknown: string | null }> {
  const found = new Set<string>();
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.nixAnswerMilliseconds)]);
  const infos = paths.map(({ info }) => info);
  for (const { infos: asked, derivations } of batchesOf(infos, {
    bytes: Infinity,
    paths: LIMITS.nixArguments,
  })) {
    // Nix would tell of their outputs
    if (derivations) continue;
    try {
      // or Nix asks the substituters for what the destination does not have, too
      const only = ['--option', 'substitute', 'false', ...ASKED_ANEW];
      const args = ['path-info', '--json', ...only, '--store', to.url, ...namesOf(asked)];
      const nix = { args, environment: { ...environment, NIX_STORE_DIR: storeDir } };
      const printed = await runNix({ ...nix, said: () => undefined, signal: patience });
      for (const path of foundPaths(printed, storeDir) ?? []) found.add(path);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NarScanError && error.code === 'NIX_MISSING') throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const unknown = to.redact(`what ${to.shown} has is not known, so all is sent (${reason})`);
      return { there: new Set(), unknown };
    }
  }
  return { there: found, unknown: null };
}

/**
 * What Nix failed for. It refuses a path that nobody signed in these words; newer ones in the latter.
 * @param verdict of a cache of nar-scan's, if Nix has told one
 */
function named(error: unknown, { shown }: StoreUrl, verdict: string | null): unknown {
  if (!(error instanceof NarScanError) || error.code !== 'NIX_FAILED') return error;
  const { message } = error;
  if (/lacks a (?:valid signature|signature by a trusted key)/.test(message))
    return new NarScanError('NIX_UNSIGNED', message, { cause: error });
  return refusalBy(shown, error, verdict) ?? error;
}

function redacted(error: unknown, to: StoreUrl): unknown {
  if (!(error instanceof NarScanError)) return error;
  return new NarScanError(error.code, to.redact(error.message), { cause: error });
}

function namesOf(infos: readonly PathInfo[]): readonly string[] {
  return infos.map(({ storePath }) => storePath);
}

function refuseFull(staging: Staging, { infos }: Batch): void {
  const wanted = infos.reduce((sum, { narSize }) => sum + (narSize ?? 0) + BESIDE_BYTES, 0);
  const { free } = staging;
  if (wanted <= free) return;
  const message = `${staging.url} has ${free} bytes free, and ${wanted} are needed at once`;
  throw new NarScanError('STAGING_FULL', message);
}
