import type { PathInfo } from '../../nix/database.ts';

/** Paths that are sent by one run of Nix. */
export interface Batch {
  readonly infos: readonly PathInfo[];
  /** Whether they are derivations: Nix takes a derivation for its outputs where nobody says which is meant. */
  readonly derivations: boolean;
}

/** How much one batch may hold; a path that is larger alone has one of its own. */
export interface BatchLimits {
  /** Bytes of NARs. */
  readonly bytes: number;
  /** Paths: they must fit on a command line. */
  readonly paths: number;
}

/** Cuts paths into batches without changing their order. */
export function batchesOf(infos: readonly PathInfo[], limits: BatchLimits): readonly Batch[] {
  const batches: { infos: PathInfo[]; derivations: boolean }[] = [];
  let bytes = 0;
  for (const info of infos) {
    const size = info.narSize ?? 0;
    const derivations = info.storePath.endsWith('.drv');
    const last = batches.at(-1);
    const fits =
      last !== undefined &&
      last.derivations === derivations &&
      last.infos.length < limits.paths &&
      bytes + size <= limits.bytes;
    if (fits) {
      last.infos.push(info);
      bytes += size;
    } else {
      batches.push({ infos: [info], derivations });
      bytes = size;
    }
  }
  return batches;
}
