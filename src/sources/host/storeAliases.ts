import { statSync } from 'node:fs';
import { refuseAlias } from '../../needles/aliases.ts';
import { normalHome } from '../../needles/homes.ts';
import { otherNames, type Mount } from '../../nix/mountinfo.ts';
import type { StoreDirs } from '../target.ts';
import type { Found } from './found.ts';

/**
 * Where stores are kept that are not reached by their logical path: proot and nix-on-droid, stores
 * of distributions, nix-portable. Below homes there are more (`~/nix/store`, `~/.nix`,
 * `~/.local/share/nix/root/nix/store`): a known home is found with all that lies in it.
 */
const PRESETS = ['/data/data/com.termux.nix/files/usr/nix/store', '/opt/nix/store'];

/** What aliases are looked for by. */
export interface AliasClues {
  readonly environment: NodeJS.ProcessEnv;
  readonly stores: StoreDirs;
  readonly mounts: readonly Mount[];
}

/** The physical places of the store on this machine, its logical store dir not among them. */
export function* storeAliases({ environment, stores, mounts }: AliasClues): Generator<Found> {
  const { logical, physical, disk } = stores;
  const found = (path: string, from: string): Found => {
    const alias = normalHome(path);
    const reason = refuseAlias(alias, logical);
    return reason === null ? { path: alias, from } : { path: alias, from, reason };
  };
  if (disk !== logical) yield found(disk, 'the chroot store');
  if (physical !== null && physical !== logical) yield found(physical, `what ${disk} really is`);
  for (const path of otherNames(mounts, physical ?? disk)) {
    // a name that is hidden by another mount leads elsewhere, or nowhere: the leak may come from outside
    if (path !== logical && path !== disk) yield found(path, `mounted at ${physical ?? disk}`);
  }
  const portable = environment['NP_LOCATION'] ?? '';
  const presets = portable.startsWith('/') ? [...PRESETS, `${portable}/.nix-portable/nix/store`] : PRESETS;
  for (const path of presets) if (isDirectory(path)) yield found(path, 'a usual place of stores');
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
