import type { ByteString } from '../model/bytes.ts';
import { byteStringOfText } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import type { Derivation } from '../nix/derivation.ts';
import { readDerivation } from '../nix/derivationFile.ts';
import { parsePathInStore } from '../nix/storePath.ts';
import type { StoreDirs } from './target.ts';

/** What went into a build and may be upstream's own. */
export interface BuildInputs {
  /** Put into the store as they are: files, directories, but also what other builds made. */
  readonly added: readonly ByteString[];
  /** Outputs whose content was fixed beforehand: fetched. */
  readonly fetched: readonly ByteString[];
}

/**
 * The inputs of a derivation that may be sources, by store path. What cannot be known is not among
 * them: an input derivation whose file is not there, or is none.
 */
export function buildInputsOf(derivation: Derivation, stores: StoreDirs): BuildInputs {
  const { inputDerivations, inputSources } = derivation;
  if (inputDerivations.size + inputSources.length > LIMITS.derivationInputs)
    return { added: [], fetched: [] };
  const fetched = new Set<ByteString>();
  for (const path of inputDerivations.keys()) {
    const input = derivationAt(path, stores);
    for (const { path: output, hash } of input?.outputs.values() ?? []) {
      // floating outputs, whatever made them, have no path here
      if (output !== null && hash !== '') fetched.add(output);
    }
  }
  return { added: inputSources, fetched: [...fetched] };
}

/** The derivation at a store path; null where it cannot be read. */
export function derivationAt(storePath: ByteString, stores: StoreDirs): Derivation | null {
  const path = diskPathOf(storePath, stores);
  if (path === null) return null;
  try {
    return readDerivation(path);
  } catch (error) {
    if (error instanceof NarScanError) return null;
    throw error;
  }
}

/** Where a store path lies; null where it is none of this store. */
function diskPathOf(storePath: ByteString, { logical, disk }: StoreDirs): ByteString | null {
  const storeDir = byteStringOfText(logical);
  const inStore = parsePathInStore(storeDir, storePath);
  if (inStore === null || inStore.inside !== '') return null;
  return byteStringOfText(disk) + storePath.slice(storeDir.length);
}
