import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { PathInfo } from '../../nix/database.ts';
import { foundPaths } from '../../nix/pathInfo.ts';
import { runNix } from '../../nix/program.ts';
import { type Batch, batchesOf } from './batches.ts';
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
  /** So many paths were at the destination before. */
  there(paths: number): void;
  /** So many more were sent. */
  sent(paths: number): void;
}

/**
 * Sends paths as they were judged: each is serialised, hashed and compared once more, and Nix reads it
 * from a private binary cache. What the destination has is not staged, and the batches, references
 * first, keep the staging small.
 *
 * @throws NarScanError NIX_MISSING, NIX_FAILED, PATH_TAMPERED, TREE_NOT_SERIALISABLE, STATE_NOT_WRITTEN,
 * STAGING_FULL; what the signal was aborted with
 */
export async function sendStaged(
  transfer: Transfer,
  staging: Staging,
  events: TransferEvents,
  signal: AbortSignal,
): Promise<void> {
  const { there, unknown } = await alreadyThere(transfer, signal);
  const wanted = new Map(
    transfer.paths.filter(({ info }) => !there.has(info.storePath)).map((path) => [path.info, path]),
  );
  const limits = { bytes: Math.min(LIMITS.stagingBytes, staging.free / 2), paths: LIMITS.nixArguments };
  if (there.size > 0) events.there(there.size);
  let isTold = false;
  for (const batch of batchesOf([...wanted.keys()], limits)) {
    refuseFull(staging, batch);
    for (const info of batch.infos) {
      const path = wanted.get(info);
      if (path !== undefined) await staging.add(path, signal);
    }
    await nixCopy(transfer, ['--from', staging.url], batch, events, signal);
    // a destination that takes nothing has said so by now, and once is enough
    if (unknown !== null && !isTold) events.said(unknown);
    isTold = true;
    staging.drop(batch.infos);
    events.sent(batch.infos.length);
  }
}

/**
 * Lets Nix copy the paths from the store itself, as they are when it reads them: nothing is hashed again.
 * @throws NarScanError NIX_MISSING, NIX_FAILED; what the signal was aborted with
 */
export async function sendDirectly(
  transfer: Transfer,
  events: TransferEvents,
  signal: AbortSignal,
): Promise<void> {
  const infos = transfer.paths.map(({ info }) => info);
  for (const batch of batchesOf(infos, { bytes: Infinity, paths: LIMITS.nixArguments })) {
    await nixCopy(transfer, transfer.store === null ? [] : ['--from', transfer.store], batch, events, signal);
    events.sent(batch.infos.length);
  }
}

async function nixCopy(
  { to, flags, storeDir, environment }: Transfer,
  source: readonly string[],
  { infos, derivations }: Batch,
  events: TransferEvents,
  signal: AbortSignal,
): Promise<void> {
  const kind = derivations ? ['--derivation'] : [];
  // ours come last: they count; the first one, should the last of the others take a word for its value
  const ours = ['--no-recursive', ...source, '--to', to.url, ...kind];
  const args = ['copy', '--no-recursive', ...flags, ...ours, ...namesOf(infos)];
  const said = (line: string): void => events.said(to.redact(line));
  try {
    await runNix({ args, environment: { ...environment, NIX_STORE_DIR: storeDir }, said, signal });
  } catch (error) {
    throw named(redacted(error, to));
  }
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
      const args = ['path-info', '--json', '--store', to.url, ...namesOf(asked)];
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

/** Nix refuses a path that nobody signed in these words; newer ones in the latter. */
function named(error: unknown): unknown {
  if (!(error instanceof NarScanError) || error.code !== 'NIX_FAILED') return error;
  if (!/lacks a (?:valid signature|signature by a trusted key)/.test(error.message)) return error;
  return new NarScanError('NIX_UNSIGNED', error.message, { cause: error });
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
