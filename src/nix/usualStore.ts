import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_STATE_DIR, localStoreOf } from './localStore.ts';
import { settingOf } from './settings.ts';

/** With one of these Nix makes no store of its own in a home. */
const ELSEWHERE = ['NIX_STORE_DIR', 'NIX_STATE_DIR', 'NIX_DAEMON_SOCKET_PATH'];

/**
 * The store that Nix opens: the one that its command line names, else the setting `store`, which a post-build hook
 * has in NIX_CONFIG, else NIX_REMOTE. Undefined where that is the one of this machine, or one that is elsewhere:
 * what is scanned lies here. (Nix: src/libstore/globals.hh, `storeUri`.)
 *
 * @param named by the command line
 */
export function storeUrlOf(named: string | null, environment: NodeJS.ProcessEnv): string | undefined {
  const url = named ?? settingOf('store', environment) ?? environment['NIX_REMOTE'] ?? '';
  if (url === '' || url === 'auto') return storeInHome(environment);
  return localStoreOf(url) === null ? undefined : url;
}

/**
 * The chroot store that Nix has in the home of a user where it was never installed, since 2.10.
 * (Nix: src/libstore/store-registration.cc, `resolveStoreConfig`.)
 */
function storeInHome(environment: NodeJS.ProcessEnv): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() === 0) return undefined;
  if (ELSEWHERE.some((name) => environment[name] !== undefined) || existsSync(DEFAULT_STATE_DIR))
    return undefined;
  const home = environment['HOME'] ?? '';
  const shared = environment['XDG_DATA_HOME'] ?? (home === '' ? '' : join(home, '.local/share'));
  const data = environment['NIX_DATA_HOME'] ?? (shared === '' ? '' : join(shared, 'nix'));
  const root = join(data, 'root');
  return data !== '' && existsSync(root) ? root : undefined;
}
