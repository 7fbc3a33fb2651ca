import { outputPathsOf, type Derivation } from '../../nix/derivation.ts';
import { readDerivation } from '../../nix/derivationFile.ts';
import { parsePathInStore } from '../../nix/storePath.ts';
import { NarScanError } from '../../model/errors.ts';

/** What was built, as the environment of a post-build hook tells. */
export interface HookOutputs {
  /** DRV_PATH, or null where it is not set. */
  readonly derivation: string | null;
  /** Store paths of OUT_PATHS, each once: they must be valid. */
  readonly named: readonly string[];
  /** Store paths that the derivation has for its outputs; a build for others may have made some of them only. */
  readonly derived: readonly string[];
  /** How many outputs of the derivation have no path that is known: content decides on it. */
  readonly unnamed: number;
}

/**
 * The outputs of the build that Nix ran this hook for. OUT_PATHS alone cannot be trusted: Nix 2.8.0
 * leaves it empty, 2.8.1 to 2.15 name only the outputs that somebody wanted, 2.30 and 2.31 none with
 * `--check`. So the derivation is read, too; it names no path where the content decides on it.
 *
 * @param diskOf where a logical store path lies
 * @throws NarScanError GUARD_BAD_ENVIRONMENT, GUARD_NO_OUTPUTS, DERIVATION_UNREADABLE, DERIVATION_INVALID
 */
export function hookOutputs(
  environment: NodeJS.ProcessEnv,
  storeDir: string,
  diskOf: (storePath: string) => string,
): HookOutputs {
  const words = (environment['OUT_PATHS'] ?? '').split(' ').filter((word) => word !== '');
  const named = [...new Set(words.map((word) => storePathIn('OUT_PATHS', word, storeDir)))];
  const drvPath = environment['DRV_PATH'] ?? '';
  const derivation = drvPath === '' ? null : storePathIn('DRV_PATH', drvPath, storeDir);
  const read = derivation === null ? null : derivationAt(diskOf(derivation), named.length > 0);
  const derived = read === null ? [] : outputPathsOf(read);
  for (const path of derived) storePathIn(`the derivation '${derivation}'`, path, storeDir);
  if (named.length + derived.length === 0) {
    throw derivation === null
      ? new NarScanError(
          'GUARD_BAD_ENVIRONMENT',
          'neither OUT_PATHS nor DRV_PATH names anything that was built',
        )
      : new NarScanError(
          'GUARD_NO_OUTPUTS',
          `OUT_PATHS is empty, and '${derivation}' has no path for its outputs`,
        );
  }
  const unnamed = read === null ? 0 : unnamedOutputs(read, named, derived);
  return { derivation, named, derived, unnamed };
}

/** Outputs without a path in the derivation that OUT_PATHS does not tell either. */
function unnamedOutputs(
  { outputs }: Derivation,
  named: readonly string[],
  derived: readonly string[],
): number {
  const others = named.filter((path) => !derived.includes(path));
  return Math.max(0, outputs.size - derived.length - others.length);
}

function storePathIn(place: string, text: string, storeDir: string): string {
  const parts = parsePathInStore(storeDir, text);
  if (parts !== null && parts.inside === '') return parts.storePath;
  throw new NarScanError('GUARD_BAD_ENVIRONMENT', `${place}: '${text}' is no store path of '${storeDir}'`);
}

/** @param optional it may be missing: a machine that builds for others has no file of what it builds */
function derivationAt(path: string, optional: boolean): Derivation | null {
  try {
    return readDerivation(path);
  } catch (error) {
    const cause = error instanceof NarScanError ? (error.cause as NodeJS.ErrnoException | undefined) : null;
    if (optional && cause?.code === 'ENOENT') return null;
    throw error;
  }
}
